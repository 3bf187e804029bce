#include "model/fixes.h"

namespace model {

namespace {

using Kind = Fix::Kind;

// The order is that of the releases, then proposals, then what-ifs; the references below name
// places in it.
constexpr Fix table[] = {
    {.commit = "c404e0dc2c84",
     .name = "bio-counter",
     .subject = "Btrfs: fix use-after-free in the finishing procedure of the device replace",
     .since = {3, 14}},
    // The reference dates it 3.17 or 3.18.
    {.commit = "12b894cb288d",
     .name = "unlock-before-blocking-bios",
     .subject = "btrfs: Fix a deadlock in btrfs_dev_replace_finishing()",
     .since = {3, 18},
     .needs = {"c404e0dc2c84"}},
    {.commit = "55e3a601c81c",
     .name = "readonly-during-copy",
     .subject = "btrfs: Fix data checksum error cause by replace with io-load.",
     .since = {4, 3}},
    // The reference dates it 4.4 or 4.5.
    {.commit = "76a8efa171bf",
     .name = "tolerate-readonly-enospc",
     .subject = "btrfs: Continue replace when set_block_ro failed",
     .since = {4, 4},
     .needs = {"55e3a601c81c"}},
    {.commit = "020d5b7366fc",
     .name = "scrub-sees-removed-group",
     .subject = "Btrfs: fix race between scrub and block group deletion",
     .since = {4, 4}},
    {.commit = "f0e9b7d64019",
     .name = "drain-after-readonly",
     .subject = "Btrfs: fix race setting block group readonly during device replace",
     .since = {4, 7},
     .needs = {"55e3a601c81c"},
     .until = {5, 5}},
    {.commit = "81e87a736c55",
     .name = "cursor-under-lock",
     .subject = "Btrfs: fix unprotected assignment of the left cursor for device replace",
     .since = {4, 7}},
    {.commit = "1a1a8b732c7e",
     .name = "cursor-before-rw",
     .subject = "Btrfs: fix race setting block group back to RW mode during device replace",
     .since = {4, 7},
     .needs = {"55e3a601c81c"}},
    // By its message; which lines did it is not confirmed. Makes a difference under
    // cursor-duplication only.
    {.commit = "22ab04e814f4",
     .name = "new-chunks-duplicated",
     .subject = "Btrfs: fix race between device replace and chunk allocation",
     .since = {4, 7}},
    {.commit = "50460e37186a",
     .name = "dev-extents-under-device-list-mutex",
     .subject = "Btrfs: fix race when finishing dev replace leading to transaction abort",
     .since = {4, 7}},
    {.commit = "581c1760415c",
     .name = "level-first-key-check",
     .subject = "btrfs: Validate child tree block's level and first key",
     .since = {4, 18}},
    {.commit = "5c06147128fb",
     .name = "replace-start-error-path",
     .subject = "btrfs: fix error handling in btrfs_dev_replace_start",
     .since = {4, 20}},
    // The ids of the next five, and that the last belongs to 5.0 and not to 5.1, are not confirmed.
    {.commit = "ba2c4d4e3bd3",
     .name = "delayed-refs-rsv",
     .subject = "btrfs: introduce delayed_refs_rsv",
     .since = {5, 0}},
    {.commit = "28bad2125767",
     .name = "truncate-throttling",
     .subject = "btrfs: fix truncate throttling",
     .since = {5, 0},
     .needs = {"ba2c4d4e3bd3"}},
    {.commit = "64403612b73a",
     .name = "space-for-delayed-refs",
     .subject = "btrfs: rework btrfs_check_space_for_delayed_refs",
     .since = {5, 0},
     .needs = {"ba2c4d4e3bd3"}},
    {.commit = "db2462a6ad3d",
     .name = "no-refs-at-end",
     .subject = "btrfs: don't run delayed refs in the end transaction logic",
     .since = {5, 0}},
    {.commit = "302167c50b32",
     .name = "no-blocked-state",
     .subject = "btrfs: don't end the transaction for delayed refs in throttle",
     .since = {5, 0}},
    // Title known, id not confirmed.
    {.commit = "",
     .name = "delayed-refs-flush-states",
     .subject = "btrfs: add new flushing states for the delayed refs rsv",
     .since = {5, 0},
     .needs = {"ba2c4d4e3bd3"}},
    {.commit = "d2311e698578",
     .name = "delay-reloc-drop",
     .subject = "btrfs: relocation: Delay reloc tree deletion after merge_reloc_roots",
     .since = {5, 1}},
    {.commit = "10995c049120",
     .name = "reloc-ctl-checked",
     .subject = "btrfs: reloc: Fix NULL pointer dereference due to expanded reloc_root lifespan",
     .since = {5, 2},
     .needs = {"d2311e698578"}},
    // Title known, id not confirmed; the reference dates it 5.2 or 5.3.
    {.commit = "",
     .name = "replace-pending-chunk-allocation",
     .subject = "btrfs: Ensure replaced device doesn't have pending chunk allocation",
     .since = {5, 2}},
    {.commit = "62d54f3a7fa2",
     .name = "send-excludes-dedupe",
     .subject = "Btrfs: fix race between send and deduplication that lead to failures and crashes",
     .since = {5, 2}},
    {.commit = "9e967495e0e0",
     .name = "send-excludes-balance",
     .subject = "Btrfs: prevent send failures and crashes due to concurrent relocation",
     .since = {5, 3},
     .until = {5, 14}},
    // Not in the reference. In stable trees, too (4.19.65).
    {.commit = "cb2d3daddbfb",
     .name = "failed-predecessor-seen",
     .subject = "Btrfs: fix race leading to fs corruption after transaction abort",
     .since = {5, 3},
     .assumed_before = true},
    {.commit = "d3984c90414a",
     .name = "evict-flush-state",
     .subject = "btrfs: introduce an evict flushing state",
     .since = {5, 4},
     .needs = {"64403612b73a", "delayed-refs-flush-states"}},
    {.commit = "ef1317a1b9a3",
     .name = "pending-tickets-first",
     .subject = "btrfs: do not allow reservations if we have pending tickets",
     .since = {5, 4}},
    {.commit = "d792b0f19711",
     .name = "whole-global-reserve",
     .subject = "btrfs: always reserve our entire size for the global reserve",
     .since = {5, 4}},
    {.commit = "0096420adb03",
     .name = "overcommit-without-global-reserve",
     .subject = "btrfs: do not account global reserve in can_overcommit",
     .since = {5, 4}},
    {.commit = "1fac4a54374f",
     .name = "dead-reloc-root-untouched",
     .subject = "btrfs: relocation: fix use-after-free on dead relocation roots",
     .since = {5, 4},
     .needs = {"d2311e698578"}},
    {.commit = "6282675e6708",
     .name = "reloc-root-lifespan",
     .subject = "btrfs: relocation: fix reloc_root lifespan and access",
     .since = {5, 5},
     .needs = {"d2311e698578", "10995c049120", "1fac4a54374f"}},
    {.commit = "b12de52896c0",
     .name = "scrub-no-chunk-preallocation",
     .subject = "btrfs: scrub: Don't check free space before marking a block group RO",
     .since = {5, 5},
     .needs = {"55e3a601c81c"}},
    {.commit = "042528f8d840",
     .name = "drains-removed",
     .subject = "Btrfs: fix block group remaining RO forever after error during device replace",
     .since = {5, 5},
     .replaces = {"f0e9b7d64019"}},
    {.commit = "1bbb97b8ce7d",
     .name = "mandatory-readonly",
     .subject = "btrfs: scrub: Require mandatory block group RO for dev-replace",
     .since = {5, 5},
     .needs = {"55e3a601c81c", "b12de52896c0"}},
    // Before it a closed device was replaced by a new one, which knew nothing of its past.
    {.commit = "321f69f86a0f",
     .name = "close-keeps-device",
     .subject = "btrfs: reset device back to allocation state when removing",
     .since = {5, 6}},
    {.commit = "9c343784c432",
     .name = "chunk-for-global-reserve",
     .subject = "btrfs: force chunk allocation if our global rsv is larger than metadata",
     .since = {5, 8}},
    // Title known, id not confirmed.
    {.commit = "",
     .name = "global-reserve-stealing",
     .subject = "btrfs: improve global reserve stealing logic",
     .since = {5, 8}},
    {.commit = "2473d24f2b77",
     .name = "scrub-freezes-group",
     .subject = "btrfs: fix a race between scrub and block group removal/allocation",
     .since = {5, 8}},
    {.commit = "4c8f353272dd",
     .name = "copy-alloc-state",
     .subject = "btrfs: fix filesystem corruption after a device replace",
     .since = {5, 9}},
    {.commit = "d0c2f4fa555e",
     .name = "super-committed-state",
     .subject = "btrfs: make concurrent fsyncs wait less when waiting for a transaction commit",
     .since = {5, 12}},
    {.commit = "e19eb11f4f3d",
     .name = "bounded-preflush",
     .subject = "btrfs: only let one thread pre-flush delayed refs in commit",
     .since = {5, 12}},
    {.commit = "d3575156f662",
     .name = "zoned-redirty",
     .subject = "btrfs: zoned: redirty released extent buffers",
     .since = {5, 12},
     .until = {6, 8}},
    {.commit = "c416a30cddec",
     .name = "commit-without-guess",
     .subject = "btrfs: rip out may_commit_transaction",
     .since = {5, 14}},
    {.commit = "1cea5cf0e664",
     .name = "send-excludes-relocation",
     .subject = "btrfs: ensure relocation never runs while we have send operations running",
     .since = {5, 14},
     .replaces = {"9e967495e0e0"},
     .until = {5, 17}},
    {.commit = "0d977e0eba23",
     .name = "close-resets-target",
     .subject = "btrfs: reset replace target device to allocation state on close",
     .since = {5, 15},
     .needs = {"321f69f86a0f"}},
    {.commit = "d96b34248c2f",
     .name = "send-beside-relocation",
     .subject = "btrfs: make send work with concurrent block group relocation",
     .since = {5, 17},
     .replaces = {"9e967495e0e0", "1cea5cf0e664"}},
    // What it is for, a device that is added beside a paused balance, is not modelled.
    {.commit = "efc0e69c2feb",
     .name = "balance-paused-state",
     .subject = "btrfs: introduce exclusive operation BALANCE_PAUSED state",
     .since = {5, 17}},
    {.commit = "765c3fe99bcd",
     .name = "emergency-reservation",
     .subject = "btrfs: introduce BTRFS_RESERVE_FLUSH_EMERGENCY",
     .since = {6, 2}},
    {.commit = "947a629988f1",
     .name = "parent-check-at-completion",
     .subject = "btrfs: move tree block parentness check into validate_extent_buffer()",
     .since = {6, 2},
     .needs = {"581c1760415c"}},
    {.commit = "",
     .name = "scrub-stripe-rewrite",
     .subject = "btrfs: scrub: the series that copies by struct scrub_stripe",
     .since = {6, 4}},
    {.commit = "8eb3dd17eadd",
     .name = "metadata-error-aborts-replace",
     .subject = "btrfs: dev-replace: error out if we have unrepaired metadata error during replace",
     .since = {6, 4}},
    {.commit = "13bb483d32ab",
     .name = "metadata-zone-activation",
     .subject = "btrfs: zoned: activate metadata block group on write time",
     .since = {6, 6}},
    {.commit = "77d20c685b6b",
     .name = "commit-prep-state",
     .subject = "btrfs: do not block starts waiting on previous transaction commit",
     .since = {6, 6}},
    {.commit = "aa6313e6ff2b",
     .name = "zoned-zeroout",
     .subject = "btrfs: zoned: don't clear dirty flag of extent buffer",
     .since = {6, 8},
     .replaces = {"d3575156f662"}},
    {.commit = "68879386180c",
     .name = "zeroout-only-dirty",
     .subject = "btrfs: zoned: do not flag ZEROOUT on non-dirty extent buffer",
     .since = {6, 9},
     .needs = {"aa6313e6ff2b"}},
    {.commit = "073bda7a5417",
     .name = "freed-block-assert",
     .subject = "btrfs: zoned: add ASSERT and WARN for EXTENT_BUFFER_ZONED_ZEROOUT handling",
     .since = {6, 9}},

    {.commit = "",
     .name = "nocow-wait-only",
     .subject = "replace waits for nocow writers after RO, not for ordered extents (first version "
                "of 1bbb97b8ce7d)",
     .kind = Kind::Proposal,
     .needs = {"55e3a601c81c"},
     .replaces = {"1bbb97b8ce7d", "f0e9b7d64019"}},
    {.commit = "",
     .name = "reservations-wait",
     .subject = "replace waits for reservations after RO as well, before nocow writers and ordered "
                "extents",
     .kind = Kind::Proposal,
     .needs = {"1bbb97b8ce7d"}},
    {.commit = "",
     .name = "drain-and-commit",
     .subject = "replace waits for reservations, nocow writers and ordered extents after RO, then "
                "always commits",
     .kind = Kind::Proposal,
     .needs = {"55e3a601c81c"}},
    {.commit = "",
     .name = "send-exclusive-op",
     .subject = "a send is an exclusive operation, like a balance (asked for in the review of "
                "9e967495e0e0)",
     .kind = Kind::Proposal,
     .replaces = {"9e967495e0e0", "1cea5cf0e664"}},
    {.commit = "",
     .name = "tolerate-ro-failure",
     .subject = "replace goes on when a block group cannot become read-only for lack of space",
     .kind = Kind::Proposal,
     .needs = {"55e3a601c81c"}},

    {.commit = "",
     .name = "zoned-keep-header",
     .subject = "a block that is zeroed before it is written to a zone keeps its header",
     .kind = Kind::Proposal,
     .needs = {"aa6313e6ff2b"}},

    {.commit = "",
     .name = "cursor-duplication",
     .subject =
         "regular writes reach the target only left of cursor_left, as messages of 2016 assume",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "ordered-wait-first",
     .subject = "after RO, the wait for ordered extents comes before that for nocow writers",
     .kind = Kind::WhatIf,
     .needs = {"1bbb97b8ce7d"}},
    {.commit = "",
     .name = "drain-outside-pause",
     .subject = "the waits after RO, commit included, run while scrub does not count as paused",
     .kind = Kind::WhatIf,
     .needs = {"55e3a601c81c"}},
    // What the code of 5.18 and later seems to do; whether it was ever hit is not known.
    {.commit = "",
     .name = "scrub-keeps-path",
     .subject =
         "scrub goes on after a pause from where it stood in a commit root that is no longer one",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "no-start-wait",
     .subject = "replace starts copying without having waited for ordered extents",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "no-start-commit",
     .subject = "replace starts copying without having committed the transaction",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "no-zoned-drain",
     .subject = "replace copies zones without having waited for their writers, nor committed "
                "(de17addce7a2 without its waits)",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "send-checks-then-counts",
     .subject = "a send looks for a balance and counts itself in two critical sections",
     .kind = Kind::WhatIf,
     .needs = {"9e967495e0e0"}},
    {.commit = "",
     .name = "send-never-restarts",
     .subject = "a send goes on where it is although a relocation was committed",
     .kind = Kind::WhatIf,
     .needs = {"d96b34248c2f"}},
    {.commit = "",
     .name = "send-keeps-leaf",
     .subject = "a send reads leaves themselves, not copies of its own",
     .kind = Kind::WhatIf,
     .needs = {"d96b34248c2f"}},
    {.commit = "",
     .name = "send-trusts-backrefs",
     .subject = "a send trusts back references that a relocation may have changed meanwhile",
     .kind = Kind::WhatIf,
     .needs = {"d96b34248c2f"}},
    {.commit = "",
     .name = "reloc-trans-late",
     .subject = "a commit says that it was of a relocation once commit_root_sem is free again",
     .kind = Kind::WhatIf,
     .needs = {"d96b34248c2f"}},
    {.commit = "",
     .name = "no-inline-refs",
     .subject = "before 5.0: who changes references runs none itself",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "no-ref-workers",
     .subject = "before 5.0: no workers run references",
     .kind = Kind::WhatIf},
    {.commit = "",
     .name = "evict-starts",
     .subject = "an eviction starts its transactions with a reservation, instead of joining them",
     .kind = Kind::WhatIf},
};
static_assert(std::size(table) <= most_fixes, "FixSet has one bit for each");

constexpr const Fix& entry(std::string_view name) {
    for (const Fix& fix : table)
        if (name == fix.name) return fix;
    throw "no such entry";  // not a constant expression: the build fails
}

}  // namespace

std::span<const Fix> fixes() {
    return table;
}

namespace fix {

constexpr const Fix& bio_counter = entry("bio-counter");
constexpr const Fix& unlock_before_blocking = entry("unlock-before-blocking-bios");
constexpr const Fix& readonly_during_copy = entry("readonly-during-copy");
constexpr const Fix& tolerate_readonly_enospc = entry("tolerate-readonly-enospc");
constexpr const Fix& scrub_sees_removed_group = entry("scrub-sees-removed-group");
constexpr const Fix& drain_after_readonly = entry("drain-after-readonly");
constexpr const Fix& cursor_under_lock = entry("cursor-under-lock");
constexpr const Fix& cursor_before_rw = entry("cursor-before-rw");
constexpr const Fix& new_chunks_duplicated = entry("new-chunks-duplicated");
constexpr const Fix& dev_extents_under_mutex = entry("dev-extents-under-device-list-mutex");
constexpr const Fix& level_first_key_check = entry("level-first-key-check");
constexpr const Fix& replace_start_error_path = entry("replace-start-error-path");
constexpr const Fix& delayed_refs_rsv = entry("delayed-refs-rsv");
constexpr const Fix& truncate_throttling = entry("truncate-throttling");
constexpr const Fix& space_for_delayed_refs = entry("space-for-delayed-refs");
constexpr const Fix& no_refs_at_end = entry("no-refs-at-end");
constexpr const Fix& no_blocked_state = entry("no-blocked-state");
constexpr const Fix& delayed_refs_flush_states = entry("delayed-refs-flush-states");
constexpr const Fix& evict_flush_state = entry("evict-flush-state");
constexpr const Fix& pending_tickets_first = entry("pending-tickets-first");
constexpr const Fix& whole_global_reserve = entry("whole-global-reserve");
constexpr const Fix& overcommit_without_global_reserve = entry("overcommit-without-global-reserve");
constexpr const Fix& chunk_for_global_reserve = entry("chunk-for-global-reserve");
constexpr const Fix& global_reserve_stealing = entry("global-reserve-stealing");
constexpr const Fix& commit_without_guess = entry("commit-without-guess");
constexpr const Fix& emergency_reservation = entry("emergency-reservation");
constexpr const Fix& delay_reloc_drop = entry("delay-reloc-drop");
constexpr const Fix& send_excludes_dedupe = entry("send-excludes-dedupe");
constexpr const Fix& reloc_ctl_checked = entry("reloc-ctl-checked");
constexpr const Fix& dead_reloc_root_untouched = entry("dead-reloc-root-untouched");
constexpr const Fix& reloc_root_lifespan = entry("reloc-root-lifespan");
constexpr const Fix& send_excludes_balance = entry("send-excludes-balance");
constexpr const Fix& failed_predecessor_seen = entry("failed-predecessor-seen");
constexpr const Fix& send_excludes_relocation = entry("send-excludes-relocation");
constexpr const Fix& send_beside_relocation = entry("send-beside-relocation");
constexpr const Fix& balance_paused_state = entry("balance-paused-state");
constexpr const Fix& send_exclusive_op = entry("send-exclusive-op");
constexpr const Fix& pending_chunk_loop = entry("replace-pending-chunk-allocation");
constexpr const Fix& scrub_no_chunk_prealloc = entry("scrub-no-chunk-preallocation");
constexpr const Fix& drains_removed = entry("drains-removed");
constexpr const Fix& mandatory_readonly = entry("mandatory-readonly");
constexpr const Fix& close_keeps_device = entry("close-keeps-device");
constexpr const Fix& scrub_freezes_group = entry("scrub-freezes-group");
constexpr const Fix& copy_alloc_state = entry("copy-alloc-state");
constexpr const Fix& super_committed_state = entry("super-committed-state");
constexpr const Fix& bounded_preflush = entry("bounded-preflush");
constexpr const Fix& zoned_redirty = entry("zoned-redirty");
constexpr const Fix& close_resets_target = entry("close-resets-target");
constexpr const Fix& parent_check_at_completion = entry("parent-check-at-completion");
constexpr const Fix& scrub_stripe_rewrite = entry("scrub-stripe-rewrite");
constexpr const Fix& metadata_error_aborts = entry("metadata-error-aborts-replace");
constexpr const Fix& metadata_zone_activation = entry("metadata-zone-activation");
constexpr const Fix& commit_prep_state = entry("commit-prep-state");
constexpr const Fix& zoned_zeroout = entry("zoned-zeroout");
constexpr const Fix& zeroout_only_dirty = entry("zeroout-only-dirty");
constexpr const Fix& freed_block_assert = entry("freed-block-assert");
constexpr const Fix& nocow_wait_only = entry("nocow-wait-only");
constexpr const Fix& reservations_wait = entry("reservations-wait");
constexpr const Fix& drain_and_commit = entry("drain-and-commit");
constexpr const Fix& zoned_keep_header = entry("zoned-keep-header");
constexpr const Fix& tolerate_ro_failure = entry("tolerate-ro-failure");
constexpr const Fix& cursor_duplication = entry("cursor-duplication");
constexpr const Fix& ordered_wait_first = entry("ordered-wait-first");
constexpr const Fix& drain_outside_pause = entry("drain-outside-pause");
constexpr const Fix& scrub_keeps_path = entry("scrub-keeps-path");
constexpr const Fix& no_start_wait = entry("no-start-wait");
constexpr const Fix& no_start_commit = entry("no-start-commit");
constexpr const Fix& no_zoned_drain = entry("no-zoned-drain");
constexpr const Fix& send_checks_then_counts = entry("send-checks-then-counts");
constexpr const Fix& send_never_restarts = entry("send-never-restarts");
constexpr const Fix& send_keeps_leaf = entry("send-keeps-leaf");
constexpr const Fix& send_trusts_backrefs = entry("send-trusts-backrefs");
constexpr const Fix& reloc_trans_late = entry("reloc-trans-late");
constexpr const Fix& no_inline_refs = entry("no-inline-refs");
constexpr const Fix& no_ref_workers = entry("no-ref-workers");
constexpr const Fix& evict_starts = entry("evict-starts");

}  // namespace fix

}  // namespace model
