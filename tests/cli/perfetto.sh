#!/usr/bin/env bash
# export --to perfetto: read back as the format's definition has it (protos/perfetto/trace of Perfetto).
source "$(dirname "$0")/lib/common.bash"
lib=$(dirname "$0")/lib

cat >perfetto.py <<'PYTHON'
"""Reads protobuf's wire format and what Perfetto's messages mean, by their field numbers."""
import collections

def fields(data):
    """A message's fields: number -> list of values (numbers, or bytes)."""
    at, found = 0, collections.defaultdict(list)

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                assert value < 1 << 64
                return value

    while at < len(data):
        tag = varint()
        number, wire = tag >> 3, tag & 7
        assert number > 0
        if wire == 0:
            found[number].append(varint())
        elif wire == 1:
            found[number].append(int.from_bytes(data[at:at + 8], "little"))
            at += 8
        elif wire == 2:
            length = varint()
            assert at + length <= len(data), "a message is cut"
            found[number].append(data[at:at + length])
            at += length
        else:
            raise AssertionError(f"wire type {wire}")
    return found

Track = collections.namedtuple("Track", "uuid name parent counter rank process")
Event = collections.namedtuple("Event", "ns type track name value flows ends")
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4

def read(file):
    tracks, events, names = {}, [], {}
    for number, packets in fields(open(file, "rb").read()).items():
        assert number == 1, "a Trace has packets only"
        for position, packet in enumerate(map(fields, packets)):
            assert packet.keys() <= {8, 10, 11, 12, 13, 60}, packet.keys()
            assert packet[10] == [1], "trusted_packet_sequence_id"
            # Names are interned: the first packet clears the state, the others need it.
            assert packet[13] == [1 if position == 0 else 2], "sequence_flags"
            for data in packet[12]:
                for entry in map(fields, fields(data)[2]):
                    names[entry[1][0]] = entry[2][0].decode()
            for data in packet[60]:
                told = fields(data)
                track = Track(told[1][0], told[2][0].decode(), told[5][0] if told[5] else None, bool(told[8]),
                              told[12][0], fields(told[3][0]) if told[3] else None)
                assert track.uuid not in tracks, f"two tracks of one id: {track.name}"
                assert track.parent is None or track.parent in tracks, "a parent comes first"
                tracks[track.uuid] = track
            for data in packet[11]:
                told = fields(data)
                kind = told[9][0]
                assert (kind in (BEGIN, INSTANT)) == bool(told[10]) and (kind == COUNTER) == bool(told[30])
                events.append(Event(packet[8][0], kind, tracks[told[11][0]], names[told[10][0]] if told[10] else None,
                                    told[30][0] if told[30] else None, told[47], told[48]))
    assert sorted(names.values()) == list(names.values()), "names are not sorted"
    return tracks, events
PYTHON

cat >check.py <<'PYTHON'
import collections, json, sys
from merge_patch import patched
from perfetto import BEGIN, COUNTER, END, INSTANT, read

tracks, events = read(sys.argv[1])
document = json.load(open(sys.argv[2]))
groups = {track.name: track for track in tracks.values() if track.process}
assert list(groups) == ["CPUs", "Tasks", "Locks", "Objects"]
assert [track.process[1][0] for track in groups.values()] == [1, 2, 3, 4]
assert all((track.parent is None) == bool(track.process) for track in tracks.values())

def names(group):
    return [track.name for track in tracks.values() if track.parent == groups[group].uuid]

# Time never goes back; slices nest and are balanced, track by track.
assert all(a.ns <= b.ns for a, b in zip(events, events[1:])), "time goes back"
depth, deepest = collections.Counter(), collections.Counter()
slices = collections.defaultdict(list)  # (from, to, name) in the order in which they end
open_slices = collections.defaultdict(list)
for event in events:
    track = event.track.uuid
    assert event.track.counter == (event.type == COUNTER), event
    if event.type == BEGIN:
        open_slices[track].append((event.ns, event.name))
        deepest[track] = max(deepest[track], len(open_slices[track]))
    elif event.type == END:
        begun, name = open_slices[track].pop()
        slices[track].append((begun, event.ns, name))
assert not any(open_slices.values()), "not ended"
assert max(deepest[t.uuid] for t in tracks.values() if t.parent == groups["Tasks"].uuid) > 3, "calls do not nest"
for group in ("CPUs", "Locks"):
    for track in tracks.values():
        if track.parent != groups[group].uuid:
            continue
        assert deepest[track.uuid] == 1, f"{track.name}: slices overlap"
        assert all(a[1] <= b[0] for a, b in zip(slices[track.uuid], slices[track.uuid][1:]))

# Who ran: each step of the document is in its task's slice, and in no other processor's.
step_ns = 1_000_000
task_names, steps = document["tasks"]["name"], document["steps"]
assert names("Tasks") == task_names
ran = {}
for track in tracks.values():
    if track.parent == groups["CPUs"].uuid:
        for begun, ended, task in slices[track.uuid]:
            for step in range(begun // step_ns, ended // step_ns):
                assert step not in ran
                ran[step] = (track.name, task)
cpus = document["tasks"]["cpu"]
assert ran == {i: (f"CPU {cpus[task]}", task_names[task]) for i, task in enumerate(steps["task"])}

# What was held and waited for, as the document has it; a track is named for its object.
def intervals(table, suffix):
    wanted = collections.Counter()
    for i, task in enumerate(document[table]["task"]):
        name = document["objects"][document[table]["object"][i]]["name"] + suffix
        wanted[name, document[table]["first"][i] * step_ns, (document[table]["last"][i] + 1) * step_ns, task_names[task]] += 1
    return wanted
drawn = collections.Counter()
for track in tracks.values():
    if track.parent == groups["Locks"].uuid:
        for begun, ended, name in slices[track.uuid]:
            drawn[track.name, begun, ended, name.split(" ")[0]] += 1
assert drawn == intervals("holds", "") + intervals("waits", ": waiting")

# The functions of each task are those of the document.
texts = document["strings"]
wanted = collections.Counter((task_names[t], texts[s]) for t, s in zip(document["scopes"]["task"], document["scopes"]["text"]))
drawn = collections.Counter((t.name, name) for t in tracks.values() if t.parent == groups["Tasks"].uuid for _, _, name in slices[t.uuid])
assert drawn == wanted

# Arrows: one source and one end each, from the step that woke to the step that was woken.
sources, ends = {}, {}
for event in events:
    assert not (event.flows or event.ends) or event.type == INSTANT
    for flow in event.flows:
        assert flow not in sources
        sources[flow] = (event.track.name, event.ns // step_ns)
    for flow in event.ends:
        assert flow not in ends
        ends[flow] = (event.track.name, event.ns // step_ns)
woken = {(steps["woken"][i], i) for i in range(len(steps["task"])) if steps["woken"][i] >= 0}
assert sources.keys() == ends.keys() and {(sources[f][1], ends[f][1]) for f in ends} == woken
assert all(name == task_names[steps["task"][step]] for name, step in list(sources.values()) + list(ends.values()))

# A transaction goes through its states within its life.
lives = {t.name: slices[t.uuid] for t in tracks.values() if t.name.startswith("transaction ")}
states = [name for spans in lives.values() for _, _, name in spans]
assert "RUNNING" in states and "COMMIT_DOING" in states and "COMPLETED" in states, states
assert any(name.startswith("head ") for name in names("Objects")) and any(name.startswith("block group ") for name in names("Objects"))

# The counter of writers is what the states add up to.
state = document["state"]["keyframes"][0]
writers = lambda: sum(t["writers"] for t in state["transactions"].values())
wanted, values = [(0, writers())], [(e.ns, e.value) for e in events if e.type == COUNTER and e.track.name == "writers"]
for step, delta in enumerate(document["state"]["deltas"]):
    state = patched(state, delta)
    if writers() != wanted[-1][1]:
        wanted.append(((step + 1) * step_ns, writers()))
assert values == wanted, f"{values} {wanted}"
PYTHON

for id in replace/003 commit/001; do
    for options in "--seed 7" "--strategy first"; do
        exits 0 export $id $options --to perfetto -o a.pftrace
        says out "task tracks, "
        exits 0 export $id $options --to json --branches 0 -o a.json
        [[ "$id $options" == "commit/001 --seed 7" ]] && continue # ends before anything commits
        PYTHONPATH=.:$lib python3 check.py a.pftrace a.json 2>err || fail "$id $options: the trace"
    done
done
exits 0 export replace/003 --seed 7 --to perfetto -o a.pftrace
exits 0 export replace/003 --seed 7 --to perfetto -o b.pftrace
cmp -s a.pftrace b.pftrace || fail "the same execution makes another trace"
python3 -c 'import perfetto, sys; t, e = perfetto.read("a.pftrace"); sys.exit(0 if any(x.flows for x in e) else 1)' ||
    fail "nobody woke anybody up"

# A failure in the middle of calls: what nobody left ends with the execution.
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 export "$token" --to perfetto -o fail.pftrace
exits 0 export "$token" --to json -o fail.json --branches 0
PYTHONPATH=.:$lib python3 check.py fail.pftrace fail.json 2>err || fail "the trace of a failure"
exits 2 export replace/003 --to perfeto -o c
says err 'did you mean "perfetto"?'
exits 2 export replace/003 --to perfetto -o nowhere/a
[[ ! -e c ]] || fail "something was written"
