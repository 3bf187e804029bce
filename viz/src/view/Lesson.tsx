import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import * as store from "../store";
import type { Stop } from "../core/trace";

function go(index: number, stops: readonly Stop[]): void {
    const stop = stops[index];
    if (stop === undefined) return;
    store.stop.value = index;
    store.current.value = 0;
    if (stop.panels && stop.panels.length > 0) store.panels.value = [...stop.panels];
    store.moveTo(stop.step);
}

/** A lesson's text at its stops; the questions answer themselves when the reader asks. */
export function LessonBar(): JSX.Element | null {
    const answered = useSignal(-1);
    const lesson = store.book.value?.lesson;
    if (!lesson) return null;
    const index = Math.max(0, store.stop.value), stop = lesson.stops[index];
    if (stop === undefined) return null;
    const branches = store.shown.value.slice(1);
    return (
        <section class="lesson" aria-labelledby="lessontitle">
            <h2 id="lessontitle">{lesson.title} <span class="muted">stop {index + 1} of {lesson.stops.length}</span></h2>
            {index === 0 ? <p>{lesson.about}</p> : null}
            <h3>{stop.title}</h3>
            {stop.text.split("\n\n").map((paragraph, i) => <p key={i}>{paragraph}</p>)}
            {stop.question ? (
                <p class="question"><b>{stop.question.text}</b>{" "}
                    {answered.value === index ? stop.question.answer : <button onClick={() => (answered.value = index)}>answer</button>}</p>
            ) : null}
            <p>
                <button disabled={index === 0} onClick={() => go(index - 1, lesson.stops)}>back</button>{" "}
                <button disabled={index + 1 >= lesson.stops.length} onClick={() => go(index + 1, lesson.stops)}>next stop</button>{" "}
                {store.cursor.value !== stop.step || store.current.value !== 0
                    ? <button onClick={() => go(index, lesson.stops)}>return to step {stop.step}</button> : null}
                {branches.length > 0 ? <span class="play"> play it yourself:{" "}
                    <button aria-pressed={store.current.value === 0} onClick={() => (store.current.value = 0)}>as told</button>{" "}
                    {branches.map((branch, i) => (
                        <button key={i} aria-pressed={store.current.value === i + 1} onClick={() => {
                            const at = store.cursor.value;
                            store.current.value = i + 1;
                            store.moveTo(Math.min(at, branch.story.end));
                        }}>{branch.trace.verdict === "FAIL" ? "✗" : "✓"} other order {i + 1}</button>))}</span> : null}
            </p>
        </section>
    );
}
