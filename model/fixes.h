#pragma once
#include "model/kernel_version.h"

/// The changes that the model plays with and without: `if (fs.has(fix::cursor_before_rw)) ...`.
/// What each did upstream stands beside its definition in fixes.cpp.
///
/// An entry exists only where code switches on it. Kernels before 4.18 copied extents without
/// checksums through the page cache (copy_nocow_pages, until ac0b4145d662); that path is not
/// modelled, so a scenario whose history is about NODATACOW or preallocated extents under replace
/// must not name kernels before 4.18.
namespace model::fix {

// Upstream, device replace and scrub.
extern const Fix& bio_counter;                 // c404e0dc2c84  3.14
extern const Fix& unlock_before_blocking;      // 12b894cb288d  3.18
extern const Fix& readonly_during_copy;        // 55e3a601c81c  4.3
extern const Fix& tolerate_readonly_enospc;    // 76a8efa171bf  4.4
extern const Fix& scrub_sees_removed_group;    // 020d5b7366fc  4.4
extern const Fix& drain_after_readonly;        // f0e9b7d64019  4.7, until 5.5
extern const Fix& cursor_under_lock;           // 81e87a736c55  4.7
extern const Fix& cursor_before_rw;            // 1a1a8b732c7e  4.7
extern const Fix& new_chunks_duplicated;       // 22ab04e814f4  4.7
extern const Fix& dev_extents_under_mutex;     // 50460e37186a  4.7
extern const Fix& level_first_key_check;       // 581c1760415c  4.18
extern const Fix& replace_start_error_path;    // 5c06147128fb  4.20
extern const Fix& pending_chunk_loop;          // slug          5.2
extern const Fix& scrub_no_chunk_prealloc;     // b12de52896c0  5.5
extern const Fix& drains_removed;              // 042528f8d840  5.5
extern const Fix& mandatory_readonly;          // 1bbb97b8ce7d  5.5
extern const Fix& close_keeps_device;          // 321f69f86a0f  5.6
extern const Fix& scrub_freezes_group;         // 2473d24f2b77  5.8
extern const Fix& delay_reloc_drop;            // d2311e698578  5.1
extern const Fix& send_excludes_dedupe;        // 62d54f3a7fa2  5.2
extern const Fix& reloc_ctl_checked;           // 10995c049120  5.2
extern const Fix& dead_reloc_root_untouched;   // 1fac4a54374f  5.4
extern const Fix& reloc_root_lifespan;         // 6282675e6708  5.5
extern const Fix& send_excludes_balance;       // 9e967495e0e0  5.3, until 5.14
extern const Fix& failed_predecessor_seen;     // cb2d3daddbfb  5.3
extern const Fix& send_excludes_relocation;    // 1cea5cf0e664  5.14, until 5.17
extern const Fix& send_beside_relocation;      // d96b34248c2f  5.17
extern const Fix& balance_paused_state;        // efc0e69c2feb  5.17
extern const Fix& copy_alloc_state;            // 4c8f353272dd  5.9
extern const Fix& super_committed_state;       // d0c2f4fa555e  5.12
extern const Fix& bounded_preflush;            // e19eb11f4f3d  5.12
extern const Fix& zoned_redirty;               // d3575156f662  5.12, until 6.8
extern const Fix& close_resets_target;         // 0d977e0eba23  5.15
extern const Fix& parent_check_at_completion;  // 947a629988f1  6.2
extern const Fix& scrub_stripe_rewrite;        // slug          6.4
extern const Fix& metadata_error_aborts;       // 8eb3dd17eadd  6.4
extern const Fix& metadata_zone_activation;    // 13bb483d32ab  6.6
extern const Fix& commit_prep_state;           // 77d20c685b6b  6.6
extern const Fix& zoned_zeroout;               // aa6313e6ff2b  6.8
extern const Fix& zeroout_only_dirty;          // 68879386180c  6.9
extern const Fix& freed_block_assert;          // 073bda7a5417  6.9

// Upstream, space.
extern const Fix& delayed_refs_rsv;                   // ba2c4d4e3bd3  5.0
extern const Fix& truncate_throttling;                // 28bad2125767  5.0
extern const Fix& space_for_delayed_refs;             // 64403612b73a  5.0
extern const Fix& no_refs_at_end;                     // db2462a6ad3d  5.0
extern const Fix& no_blocked_state;                   // 302167c50b32  5.0
extern const Fix& delayed_refs_flush_states;          // slug          5.0
extern const Fix& evict_flush_state;                  // d3984c90414a  5.4
extern const Fix& pending_tickets_first;              // ef1317a1b9a3  5.4
extern const Fix& whole_global_reserve;               // d792b0f19711  5.4
extern const Fix& overcommit_without_global_reserve;  // 0096420adb03  5.4
extern const Fix& chunk_for_global_reserve;           // 9c343784c432  5.8
extern const Fix& global_reserve_stealing;            // slug          5.8
extern const Fix& commit_without_guess;               // c416a30cddec  5.14
extern const Fix& emergency_reservation;              // 765c3fe99bcd  6.2

// Posted, or conceivable, and not merged.
extern const Fix& nocow_wait_only;    // the first posted version of 1bbb97b8ce7d
extern const Fix& reservations_wait;  // the reservations as well
extern const Fix& drain_and_commit;   // all three waits, then always a commit
extern const Fix& send_exclusive_op;  // a send is an exclusive operation, as was asked in review
extern const Fix&
    zoned_keep_header;  // a block that is zeroed before it is written keeps its header
extern const Fix& tolerate_ro_failure;  // 1bbb97b8ce7d without making the read-only state mandatory

// What if the kernel were otherwise.
extern const Fix& cursor_duplication;   // regular writes reach the target only left of cursor_left
extern const Fix& ordered_wait_first;   // the ordered extents before the nocow writers
extern const Fix& drain_outside_pause;  // the waits, and a commit, without counting as paused
extern const Fix& scrub_keeps_path;  // the place in the extent tree's commit root survives a pause
extern const Fix& no_start_wait;     // replace starts without waiting for ordered extents
extern const Fix& no_start_commit;   // replace starts without committing
extern const Fix& no_zoned_drain;    // de17addce7a2 without its waits and its commit
extern const Fix& send_checks_then_counts;  // a send checks, then counts itself: two sections
extern const Fix& send_never_restarts;      // nor does it begin again after a relocation
extern const Fix& send_keeps_leaf;          // it reads leaves, not copies of them
extern const Fix& send_trusts_backrefs;     // it trusts what it found of them
extern const Fix& reloc_trans_late;         // last_reloc_trans is set without commit_root_sem
extern const Fix& no_inline_refs;           // who changes references runs none itself
extern const Fix& no_ref_workers;           // no workers run them
extern const Fix& evict_starts;  // an eviction reserves as START does, instead of joining

}  // namespace model::fix
