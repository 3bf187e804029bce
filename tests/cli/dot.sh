#!/usr/bin/env bash
# export --to dot: what happens before what, and trees, as Graphviz reads them.
source "$(dirname "$0")/lib/common.bash"

cat >dot.py <<'PYTHON'
"""Reads the part of Graphviz's language that is written here, by its grammar."""
import re

token = re.compile(r'\s*("(?:\\.|[^"\\])*"|->|[A-Za-z_][A-Za-z_0-9]*|-?\d+(?:\.\d+)?|[{}\[\];=,])')

def tokens(text):
    at, found = 0, []
    text = text.rstrip()
    while at < len(text):
        match = token.match(text, at)
        assert match, f"no token at {text[at:at + 30]!r}"
        found.append(match.group(1))
        at = match.end()
    return found

def name(word):
    return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), word[1:-1]) if word.startswith('"') else word

class Graph:
    def __init__(self, text):
        self.words, self.at = tokens(text), 0
        self.nodes, self.edges, self.clusters = {}, [], {}
        self.expect("digraph")
        self.take()
        self.statements(None)
        assert self.at == len(self.words)
        for a, b, _ in self.edges:
            assert a in self.nodes and b in self.nodes, f"no such node: {a} -> {b}"

    def take(self):
        self.at += 1
        return self.words[self.at - 1]
    def expect(self, word):
        assert self.take() == word, f"{word} is missing before {self.words[self.at:self.at + 3]}"
    def statements(self, cluster):
        self.expect("{")
        while self.words[self.at] != "}":
            self.statement(cluster)
        self.at += 1
    def statement(self, cluster):
        word = self.take()
        if word == "subgraph":
            inner = name(self.take())
            self.clusters[inner] = {"nodes": [], "label": None}
            return self.statements(inner)
        if self.words[self.at] == "=":
            self.at += 1
            assert word == "label" and cluster
            self.clusters[cluster]["label"] = name(self.take())
        elif self.words[self.at] == "->":
            self.at += 1
            to = name(self.take())
            self.edges.append((name(word), to, self.attributes()))
        elif word in ("node", "edge"):
            self.attributes()
        else:
            assert name(word) not in self.nodes
            self.nodes[name(word)] = self.attributes()
            if cluster:
                self.clusters[cluster]["nodes"].append(name(word))
        self.expect(";")
    def attributes(self):
        found = {}
        if self.words[self.at] != "[":
            return found
        while self.take() != "]":
            key = self.take()
            self.expect("=")
            found[key] = name(self.take())
        return found

def read(file):
    return Graph(open(file).read())
PYTHON

# check EXPRESSION: over the graph g of the file graph.dot and, where there is one, the document d.
check() {
    python3 - "$1" 2>err <<'PYTHON' || fail "not so: $1"
import json, os, sys
from dot import read
g = read("graph.dot")
d = json.load(open("a.json")) if os.path.exists("a.json") else None
sys.exit(0 if eval(sys.argv[1]) else 1)
PYTHON
    command -v dot >/dev/null || return 0
    dot -Tsvg graph.dot >graph.svg 2>err && grep -q "<svg" graph.svg || fail "Graphviz does not draw it"
}

exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 export "$token" --to json -o a.json
exits 0 export "$token" --to dot -o graph.dot
says out "pairs of steps that could be reversed"
cp graph.dot first.dot
exits 0 export "$token" --to dot -o graph.dot
cmp -s graph.dot first.dot || fail "the same execution makes another graph"

# A column for each task, of its own steps, in their order.
check 'len(g.clusters) > 2 and all(c["label"] in d["tasks"]["name"] for c in g.clusters.values())'
check 'all(d["tasks"]["name"][d["steps"]["task"][int(n[1:])]] == c["label"] for c in g.clusters.values() for n in c["nodes"])'
check 'all(c["nodes"] == sorted(c["nodes"], key=lambda n: int(n[1:])) for c in g.clusters.values())'
# All arrows go forward: happens-before has no circle.
check 'all(int(a[1:]) < int(b[1:]) for a, b, _ in g.edges)'
# The pairs are of two tasks that touched the same thing; what explain turned round is among them.
check 'any(x.get("color") == "red" for _, _, x in g.edges)'
check 'all(d["steps"]["task"][int(a[1:])] != d["steps"]["task"][int(b[1:])] and x["label"] for a, b, x in g.edges if x.get("color") == "red")'
check 'all((f["first"]["step"], f["second"]["step"]) in [(int(a[1:]), int(b[1:])) for a, b, x in g.edges if x.get("color") == "red"] for f in d["why"]["flips"]["found"] if f["second"])'
# Wake-ups are as the document has them.
check '{(int(a[1:]), int(b[1:])) for a, b, x in g.edges if x.get("label") == "wakes"} == {(w, i) for i, w in enumerate(d["steps"]["woken"]) if w >= 0}'
# The critical step, and no other, is in a box.
check '[n for n, x in g.nodes.items() if x.get("shape") == "box"] == ["s" + str(d["why"]["critical"]["step"])]'

# Trees: what the state has, each block once; what both a tree and its last commit reach is filled.
exits 0 export commit/001 --strategy first --to json --branches 0 -o a.json
exits 0 export commit/001 --strategy first --to states -o states
for step in 1 200 400; do
    exits 0 export commit/001 --strategy first --to dot --at step:$step -o graph.dot
    python3 - $step 2>err <<'PYTHON' || fail "the trees after $step steps"
import json, sys
from dot import read
g, step = read("graph.dot"), int(sys.argv[1])
state = next(s["state"] for s in map(json.loads, open("states")) if s["steps"] == step)
blocks = {n[1:]: x for n, x in g.nodes.items() if n.startswith("b")}
assert blocks.keys() == state["blocks"].keys() and len(g.nodes) == len(blocks) + len(state["roots"])
def reach(field):
    seen, work = set(), [str(r[field]) for r in state["roots"].values() if field in r]
    while work:
        at = work.pop()
        if at not in seen:
            seen.add(at)
            work += [str(c) for c in state["blocks"][at].get("children", [])]
    return seen
now, then = reach("node"), reach("commit_root")
for bytenr, x in blocks.items():
    assert x["style"] == ("filled" if bytenr in now & then else "bold" if bytenr in now else "dashed"), bytenr
    assert x["label"].split("\n")[0] == bytenr and state["blocks"][bytenr]["owner"] in x["label"]
wanted = [("root " + n, f"b{r[f]}") for n, r in state["roots"].items() for f in ("node", "commit_root") if f in r]
wanted += [("b" + b, f"b{c}") for b, r in state["blocks"].items() for c in r.get("children", [])]
assert sorted(wanted) == sorted((a, b) for a, b, _ in g.edges)
assert step == 1 or now != then
PYTHON
done
exits 0 export commit/001 --strategy first --to dot --at end -o graph.dot
says out "the trees after"
check 'len(g.nodes) > 8'

exits 2 export commit/001 --to dot --at commit:1 -o a.dot
says err 'expected end or step:N'
exits 2 export commit/001 --to dot --at step:999999 -o a.dot
says err "the execution has "
[[ ! -e a.dot ]] || fail "something was written"
