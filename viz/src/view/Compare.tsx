import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { changes } from "../core/seek";
import * as store from "../store";
import { DataTable } from "./Twin";
import { Lanes } from "./Lanes";
import { words } from "./words";

/** Two executions over one another: where they part, and what differs now. */
export function Compare(): JSX.Element | null {
    const a = store.main.value, b = store.other.value, found = store.alignment.value;
    const lonely = useMemo(() => ({
        a: (step: number) => found !== null && a !== null && found.ofA[step - a.story.first] < 0,
        b: (step: number) => found !== null && b !== null && found.ofB[step - b.story.first] < 0,
    }), [found, a, b]);
    if (a === null || b === null || found === null) return null;
    const firstA = a.story.first + found.common, firstB = b.story.first + found.common;
    const same = firstA >= a.story.end && firstB >= b.story.end;
    const rangeA = { from: firstA, to: found.stateA >= 0 ? found.stateA + 1 : firstA + 1 };
    const rangeB = { from: firstB, to: found.stateB >= 0 ? found.stateB + 1 : firstB + 1 };
    const moveB = (steps: number): void => {
        const partner = steps > b.story.first ? found.ofB[steps - 1 - b.story.first] : -1;
        if (store.linked.value && partner >= 0) store.moveTo(partner + 1);
        else {
            store.linked.value = false;
            store.otherCursor.value = Math.max(b.story.first, Math.min(b.story.end, steps));
        }
    };
    const sentenceB = store.besideCursor.value > b.story.first ? b.story.sentence(store.besideCursor.value - 1) : "before the first step";
    return (
        <>
            <div class="comparebar" role="group" aria-label="Where the two executions part">
                {same ? <strong>The two executions are the same.</strong> : <>
                    <button class="mark" onClick={() => store.moveTo(firstA + 1)}>
                        ◆ first different choice: step {firstA}</button>
                    {found.stateA >= 0 ? <button class="mark" onClick={() => store.moveTo(found.stateA + 1)}>
                        ◈ first different state: step {found.stateA} / {found.stateB}</button> : <span>no partner finds or leaves another state</span>}
                </>}
                <button aria-pressed={store.linked.value} onClick={() => {
                    store.otherCursor.value = store.besideCursor.value;
                    store.linked.value = !store.linked.value;
                }}>{store.linked.value ? "one slider for both" : "each on its own"}</button>
                <span class="muted">◆ over a lane: a step without partner. Shaded: from the first different choice to the first different state.</span>
            </div>
            <Lanes shown={a} cursor={store.cursor.value} move={store.moveTo} label={`A: ${a.trace.verdict} ${a.trace.violation?.signature ?? ""}`}
                partner={{ lonely: lonely.a, ...rangeA }} />
            <Lanes shown={b} cursor={store.besideCursor.value} move={moveB} label={`B: ${b.trace.verdict} ${b.trace.violation?.signature ?? ""}`}
                partner={{ lonely: lonely.b, ...rangeB }} />
            <p class="beside">B stands after: {sentenceB}</p>
        </>
    );
}

/** The records in which the two states differ, in three columns: A, B, and which fields. */
export function Difference(): JSX.Element | null {
    const a = store.state.value, b = store.otherState.value;
    const list = changes(b, a).filter((change) => change.table !== "tasks");
    const tasks = changes(b, a).filter((change) => change.table === "tasks");
    const row = (change: (typeof list)[number]): string[] => {
        const inA = a[change.table]?.[change.key], inB = b[change.table]?.[change.key];
        const said = (record: typeof inA): string => record === undefined ? "–"
            : (change.fields.length > 0 ? change.fields : Object.keys(record)).map((f) => `${f} ${words(record[f])}`).join(", ");
        return [`${change.table} ${change.key}`, said(inA), said(inB), change.fields.join(", ") || (inA === undefined ? "only in B" : "only in A")];
    };
    return (
        <section class="panel" aria-labelledby="title-difference">
            <header><h2 id="title-difference">Difference of the two states</h2></header>
            {list.length + tasks.length === 0 ? <p class="nothing">the two states are the same</p>
                : <DataTable label="Difference of the two states" data={{
                    head: ["record", "A", "B", "differs in"], rows: [...list, ...tasks].map(row),
                    pick: (i) => { const c = [...list, ...tasks][i]; store.watching.value = `${c.table}/${c.key}`; },
                }} />}
        </section>
    );
}
