import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import * as store from "../store";

const secondsPerStep = 0.25;

/** The slider over the steps, with ticks where something is, and what moves it. */
export function Transport(): JSX.Element | null {
    const story = store.main.value?.story;
    useSignalEffect(() => {
        if (!store.playing.value) return undefined;
        const timer = setInterval(() => {
            const end = store.main.value?.story.end ?? 0;
            if (store.cursor.value >= end) store.playing.value = false;
            else store.moveTo(store.cursor.value + 1);
        }, secondsPerStep * 1000);
        return () => clearInterval(timer);
    });
    if (!story) return null;
    const { first, end } = story;
    const share = (steps: number): string => `${((steps - first) / Math.max(1, end - first)) * 100}%`;
    const critical = story.criticalStep(), violation = story.violationStep();
    const matches = store.matches.value;
    const at = store.cursor.value;
    const button = (label: string, glyph: string, to: () => void, key: string): JSX.Element =>
        <button onClick={to} aria-label={label} title={`${label} (${key})`}>{glyph}</button>;
    return (
        <div class="transport" role="group" aria-label="Position">
            {button("first step", "|◀", () => store.moveTo(first), "Home")}
            {button("ten steps back", "◀◀", () => store.moveTo(at - 10), "PageUp")}
            {button("one step back", "◀", () => store.moveTo(at - 1), "←")}
            <div class="slider">
                <input type="range" id="slider" min={first} max={end} value={at} aria-label="steps done"
                    aria-valuetext={at > first ? story.sentence(at - 1) : "before the first step"}
                    onInput={(event) => store.moveTo(Number(event.currentTarget.value))} />
                <div class="ticks" aria-hidden="true">
                    {matches.length <= 400 ? matches.map((step) => <i key={step} class="match" style={{ left: share(step + 1) }} />) : null}
                    {critical !== null ? <i class="critical" style={{ left: share(critical + 1) }} title={`critical step ${critical}`}>C</i> : null}
                    {violation !== null ? <i class="violated" style={{ left: share(violation) }} title={`violation at step ${violation}`}>✗</i> : null}
                    {store.notes.value.filter((n) => n.trace === store.current.value).map((n, i) => <i key={i} class="noted" style={{ left: share(n.step) }}>✎</i>)}
                </div>
            </div>
            {button("one step forward", "▶", () => store.moveTo(at + 1), "→")}
            {button("ten steps forward", "▶▶", () => store.moveTo(at + 10), "PageDown")}
            {button("last step", "▶|", () => store.moveTo(end), "End")}
            <button onClick={() => (store.playing.value = !store.playing.value)} aria-pressed={store.playing.value} aria-label="play" title="play (Space)">{store.playing.value ? "stop" : "play"}</button>
            <output class="where">step {at} of {store.main.value?.trace.counts.steps}</output>
            {critical !== null ? <button onClick={() => store.moveTo(critical + 1)} title="c">critical</button> : null}
            {violation !== null ? <button onClick={() => store.moveTo(violation)} title="v">violation</button> : null}
            <button onClick={() => (store.axis.value = store.axis.value === "step" ? "switch" : "step")} title="x: one column for each step, or for each stretch of one task">axis: {store.axis.value}</button>
            <label class="search"><span class="visually-hidden">search</span>
                <input id="search" type="search" placeholder="/ find" value={store.query.value} onInput={(event) => {
                        store.searchedFrom.value = store.cursor.value - 1;
                        store.query.value = event.currentTarget.value;
                    }}
                    onKeyDown={(event) => {
                        if (event.key === "Enter") { store.moveToMatch(event.shiftKey ? -1 : 1); event.preventDefault(); }
                        if (event.key === "Escape") event.currentTarget.blur();
                    }} /></label>
            {store.query.value.trim() !== "" ? <output class="matches">{matches.length} {matches.length === 1 ? "match" : "matches"}</output> : null}
        </div>
    );
}
