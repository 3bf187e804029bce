#!/usr/bin/env bash
# export --to ftrace-text: the kernel's tracepoints, as the kernel writes them and in its order.
source "$(dirname "$0")/lib/common.bash"
real=$(dirname "$0")/../data/kernel-traces

cat >lines.py <<'PYTHON'
import collections, gzip, re

Line = collections.namedtuple("Line", "comm pid cpu us event fields")
# As the importers of trace-cmd's and systrace's text take a line apart.
shape = re.compile(r"^ *(.{1,16})-(\d+) +\[(\d{3})\] [a-zA-Z0-9.]{5} +(\d+)\.(\d{6}): (\w+): (.*)$")

def read(file):
    with (gzip.open if file.endswith(".gz") else open)(file, "rt") as text:
        lines = text.read().split("\n")
    assert lines[0] == "# tracer: nop" and lines[-1] == ""
    found = []
    for line in lines[:-1]:
        if line.startswith("#"):
            continue
        parts = shape.match(line)
        assert parts, f"no line of a trace: {line}"
        comm, pid, cpu, seconds, us, event, fields = parts.groups()
        found.append(Line(comm, int(pid), int(cpu), int(seconds) * 10**6 + int(us), event, fields))
    return found

def layout(fields):
    """Names of fields, and the shape of what they say, without the values."""
    fields = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", fields)
    fields = re.sub(r"=(\d+)\([A-Z0-9_|-]+\)", "=N(NAME)", fields)
    fields = re.sub(r"=-?(0x)?[0-9a-f]+\b", "=N", fields)
    fields = re.sub(r"=[A-Z][A-Z0-9_|]*", "=NAME", fields)
    fields = re.sub(r" [FRW][A-Z]* ", " OP ", fields)
    fields = re.sub(r"\[[^]]*\]$", "[LAST]", fields)
    return re.sub(r"\b\d+\b", "N", fields)
PYTHON

cat >layouts.py <<'PYTHON'
import sys
from lines import layout, read

with open(sys.argv[1]) as text:
    kernel = "# tracer: nop\n" + text.read()
open("kernel.txt", "w").write(kernel)
wanted = {line.event: layout(line.fields) for line in read("kernel.txt")}
ours = ("sched_switch", "sched_waking", "tracing_mark_write")
seen = set()
for file in sys.argv[2:]:
    last = 0
    for line in read(file):
        assert line.us >= last, f"{file}: time goes back at {line}"
        last = line.us
        if line.event in ours:
            continue
        seen.add(line.event)
        assert line.event in wanted, f"{file}: the kernel has no {line.event}"
        assert layout(line.fields) == wanted[line.event], f"{line.event}: {layout(line.fields)}, not {wanted[line.event]}"
assert seen == set(wanted), f"never seen: {set(wanted) - seen}"
PYTHON

# Every tracepoint comes up, and each is as the kernel writes it.
exits 0 export commit/001 --strategy first --to ftrace-text -o commit.txt
says out "of them of btrfs and the block layer"
exits 0 export commit/001 --strategy first --to ftrace-text -o again.txt
cmp -s commit.txt again.txt || fail "the same execution makes another text"
cat >space.json <<'JSON'
{"id": "space/001", "title": "a file is written, synced, and moved", "groups": ["space"],
 "fs": {"devices": [{"name": "a", "size": "128M"}], "data": "single", "metadata": "single"},
 "prepare": ["touch f1", "sync"],
 "tasks": {"one": {"cpu": 1, "run": ["pwrite -S 0x61 0 8K f1", "fsync f1", "btrfs balance start -d", "rm f1", "sync"]}}}
JSON
exits 0 export ./space.json --strategy first --to ftrace-text -o space.txt
exits 0 export commit/002 --strategy first --to ftrace-text -o again.txt
PYTHONPATH=. python3 layouts.py "$real/tracepoints.txt" commit.txt space.txt again.txt 2>err || fail "a tracepoint is not the kernel's"

cat >order.py <<'PYTHON'
import re, sys
from lines import read

summary, real_trace, text = sys.argv[1:]
# What the phases of a commit are called there and here. Those that a commit goes through as often as
# there is something to do, and the others, each once. (Here a replace that does not run is no phase.)
loops = {"run_drefs": "btrfs_run_delayed_refs", "create_pending_bgs": "btrfs_create_pending_block_groups",
         "write_dirty_bgs": "btrfs_write_dirty_block_groups", "run_dev_replace": "btrfs_run_dev_replace"}
once = {"commit": "btrfs_commit_transaction", "start_dirty_bgs": "btrfs_start_dirty_block_groups",
        "scrub_pause_req": "btrfs_scrub_pause", "create_pending_snaps": "create_pending_snapshots",
        "commit_fs_roots": "commit_fs_roots", "commit_cowonly": "commit_cowonly_roots",
        "switch_commit_roots": "switch_commit_roots",
        "commit_dev_sizes": "btrfs_commit_device_sizes", "write_and_wait": "btrfs_write_and_wait_transaction",
        "write_all_supers": "write_all_supers", "finish_extent_commit": "btrfs_finish_extent_commit",
        "btrfs_transaction_commit": "btrfs_transaction_commit", "scrub_continue": "btrfs_scrub_continue"}
states = ["COMMIT_START", "COMMIT_DOING", "UNBLOCKED", "SUPER_COMMITTED", "COMPLETED"]
here = {**loops, **once, **{"st_" + state: "st_" + state for state in states}}

def real_commits():
    for line in open(summary):
        if line.lstrip().startswith("commit > "):
            names = [re.sub(r"\(.*", "", phase) for phase in line.strip().split(" > ")]
            yield [here[name] for name in names if name in here]

def simulated_commits(lines):
    for at, line in enumerate(lines):
        if line.event != "tracing_mark_write" or not line.fields.endswith("|btrfs_commit_transaction"):
            continue
        phases, depth = [], 0
        for told in lines[at:]:
            if told.pid != line.pid:
                continue
            mark = told.fields.split("|") if told.event == "tracing_mark_write" else [None]
            depth += {"B": 1, "E": -1}.get(mark[0], 0)
            state = re.match(r"transaction \d+ is (\w+)$", mark[2]) if mark[0] == "I" else None
            name = told.event if mark[0] is None else "st_" + state.group(1) if state else mark[2] if mark[0] == "B" else None
            if name in here.values():
                phases.append(name)
            if depth == 0:
                break
        yield phases

def split(phases):
    """The phases that come once, and before each of them the set of those that come again and again."""
    kept, before, between = [], [], set()
    for phase in phases:
        if phase in loops.values():
            between.add(phase)
        else:
            kept.append(phase)
            before.append(between)
            between = set()
    return kept, before

real = [split(phases) for phases in real_commits()]
lines = read(text)
simulated = [split(phases) for phases in simulated_commits(lines)]
assert len(real) == len(simulated) == 2, "not two commits"
for kept, before in simulated:
    assert kept == real[0][0] == real[1][0], f"{kept}\nnot {real[0][0]}"
    for phase, between, first, second in zip(kept, before, real[0][1], real[1][1]):
        assert between <= first | second, f"before {phase}: {between}, not {first | second}"
        if loops["run_drefs"] in first & second:
            assert loops["run_drefs"] in between, f"before {phase} no references are run"

def chains(lines, last, names, length):
    """What came before each `last` in its task, of these tracepoints."""
    past, found = {}, set()
    for line in lines:
        if line.event == last:
            found.add(tuple(past.get(line.pid, [])[-length:]))
        if line.event in names or line.event == last:
            past.setdefault(line.pid, []).append(line.event)
    return found

kernel = read(real_trace)
cow = ("find_free_extent", "btrfs_reserve_extent", "add_delayed_ref_head", "add_delayed_tree_ref")
ref = ("run_delayed_tree_ref", "run_delayed_data_ref", "btrfs_reserved_extent_alloc", "update_bytes_pinned")
for last, names, length in (("btrfs_cow_block", cow, 6), ("run_delayed_ref_head", ref, 2)):
    ours, theirs = chains(lines, last, names, length), chains(kernel, last, names, length)
    assert ours and ours <= theirs, f"before {last}: {ours - theirs} is not among {theirs}"
PYTHON
# The workload of the real trace, without the fsyncs: those go to a log tree there.
cat >write.json <<'JSON'
{"id": "write/001", "title": "a subvolume is made and written to", "groups": ["write"],
 "fs": {"devices": [{"name": "a", "size": "128M"}], "data": "single", "metadata": "single"},
 "prepare": ["sync"],
 "tasks": {"writer": {"cpu": 1, "run": ["btrfs subvolume create sv", "touch sv/f1", "pwrite -S 0x61 0 64K sv/f1", "writeback sv/f1",
                                        "touch sv/f2", "pwrite -S 0x62 0 4K sv/f2", "sync"]}}}
JSON
exits 0 export ./write.json --strategy first --to ftrace-text -o write.txt
PYTHONPATH=. python3 order.py "$real/W1-summary.txt" "$real/W1-trace.txt.gz" write.txt 2>err ||
    fail "the order is not that of a real commit"

# Slices end in the task that began them, the last one first; who is switched to is who acts next.
cat >slices.py <<'PYTHON'
import re, sys
from lines import read

open_slices, running = {}, {}
for line in read(sys.argv[1]):
    if line.event == "sched_switch":
        match = re.fullmatch(r"prev_comm=(\S+) prev_pid=(\d+) prev_prio=120 prev_state=([RDX]) ==> "
                             r"next_comm=(\S+) next_pid=(\d+) next_prio=120", line.fields)
        assert match and int(match.group(2)) == line.pid == running.get(line.cpu, 0), line
        running[line.cpu] = int(match.group(5))
        assert sum(pid != 0 for pid in running.values()) <= 1, line
        continue
    mark = line.fields.split("|")
    ended = line.event == "tracing_mark_write" and mark[0] == "E"
    assert ended or running[line.cpu] == line.pid, f"not running: {line}"
    if line.event == "sched_waking":
        assert re.fullmatch(r"comm=\S+ pid=\d+ prio=120 target_cpu=\d{3}", line.fields), line
    if line.event == "tracing_mark_write":
        assert int(mark[1]) == line.pid, line
        if mark[0] == "B":
            open_slices.setdefault(line.pid, []).append(mark[2])
        elif mark[0] == "E":
            open_slices[line.pid].pop()
assert not any(open_slices.values()), "not ended"
PYTHON
exits 0 export replace/003 --seed 7 --to ftrace-text -o replace.txt
grep -q ": sched_waking: " replace.txt || fail "nobody woke anybody up"
for file in commit.txt space.txt write.txt replace.txt; do
    PYTHONPATH=. python3 slices.py $file 2>err || fail "$file: slices or switches"
done
exits 2 export commit/001 --to ftrace -o a.txt
says err 'did you mean "ftrace-text"?'
exits 2 export commit/001 --at end --to ftrace-text -o a.txt
says err "--at is for --to dot"
