import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { pieces, termsOf } from "../core/lesson";
import type { Lesson, Stop } from "../core/trace";
import { glossary } from "../glossary";
import * as store from "../store";
import { Term } from "./words";

/** Paragraphs, with the words of the glossary and code marked. */
function Prose({ text }: { text: string }): JSX.Element {
    return <>{text.split("\n\n").map((paragraph, i) => <p key={i}>{pieces(paragraph).map((piece, k) =>
        piece.kind === "term" ? <Term key={k} word={piece.term}>{piece.text}</Term>
            : piece.kind === "code" ? <code key={k}>{piece.text}</code> : piece.text)}</p>)}</>;
}

/** What the marked words mean: a tooltip is not for everybody. */
function Words({ text }: { text: string }): JSX.Element | null {
    const terms = termsOf(text).filter((term) => glossary[term] !== undefined);
    if (terms.length === 0) return null;
    return (
        <details class="stopwords"><summary>words: {terms.join(", ")}</summary>
            <dl>{terms.map((term) => [<dt key={term}>{term}</dt>, <dd key={`${term}-text`}>{glossary[term]}</dd>])}</dl></details>
    );
}

function Answer({ stop }: { stop: Stop }): JSX.Element | null {
    const shown = useSignal(false);
    if (!stop.question) return null;
    return (
        <div class="question"><Prose text={stop.question.text} />
            {shown.value ? <div class="answer"><Prose text={stop.question.answer} /></div> : <button onClick={() => (shown.value = true)}>answer</button>}</div>
    );
}

/** The tasks that may come next here, each with the execution that it leads to. */
function Choose({ stop }: { stop: Stop }): JSX.Element | null {
    const told = store.shown.value[0]?.story;
    if (!stop.choose || told === undefined) return null;
    const list = told.alternatives(stop.step);
    return (
        <div class="choose" role="group" aria-label="Who comes next?">
            <b>Who comes next?</b>
            {list.map((alternative, candidate) => {
                const branch = store.branchAt(stop.step, candidate);
                if (branch === null && !alternative.taken) return null;
                return <button key={candidate} onClick={() => (branch ? store.takeBranch(branch) : store.moveTo(stop.step + 1))}>
                    {told.taskName(alternative.task)}: {alternative.text}{alternative.taken ? " (as told)" : ""}</button>;
            })}
        </div>
    );
}

/** The reader took another order: where that leads. */
function Elsewhere({ lesson }: { lesson: Lesson }): JSX.Element | null {
    const shown = store.main.value;
    const branch = lesson.branches.find((b) => b.trace === store.current.value);
    if (shown === null || branch === undefined) return null;
    const { trace, story } = shown;
    return (
        <p class="elsewhere"><b>Your own order.</b> At step {branch.step}, {story.taskName(story.taskOf(branch.step))} came
            instead: {story.stepText(branch.step)}. From there on the default order.{" "}
            {trace.violation ? <span class="violation">✗ It fails at step {trace.violation.step}: {trace.violation.text}.</span> : "✓ It ends without a violation."}{" "}
            Step on to see how.</p>
    );
}

/** A lesson's text at its stops; the questions answer themselves when the reader asks. */
export function LessonBar(): JSX.Element | null {
    const lesson = store.book.value?.lesson;
    if (!lesson) return null;
    const { stops } = lesson;
    const index = Math.max(0, store.stop.value), stop = stops[index];
    if (stop === undefined) return null;
    const away = store.current.value !== 0 || store.cursor.value !== stop.step;
    return (
        <section class="lesson" aria-labelledby="lessontitle">
            <h2 id="lessontitle">{lesson.title} <span class="muted">stop {index + 1} of {stops.length}</span></h2>
            {index === 0 ? <Prose text={lesson.about} /> : null}
            <h3>{stop.title}</h3>
            <Prose text={stop.text} />
            <Answer key={index} stop={stop} />
            {store.current.value === 0 ? <Choose stop={stop} /> : <Elsewhere lesson={lesson} />}
            <Words key={`words-${index}`} text={`${index === 0 ? lesson.about : ""} ${stop.text}`} />
            <p class="stoptools">
                <button disabled={index === 0} onClick={() => store.goToStop(index - 1)}>◂ stop before</button>{" "}
                <button disabled={index + 1 >= stops.length} onClick={() => store.goToStop(index + 1)}>next stop ▸</button>{" "}
                {away ? <button onClick={() => store.goToStop(index)}>back to this stop, step {stop.step}</button>
                    : <span class="muted">or <kbd>P</kbd> <kbd>N</kbd>; between stops <kbd>←</kbd> <kbd>→</kbd></span>}
            </p>
            <details class="allstops"><summary>all stops</summary>
                <ol>{stops.map((other, i) => <li key={i}><button class="link" aria-current={i === index ? "step" : undefined}
                    onClick={() => store.goToStop(i)}>{other.title}</button> <span class="muted">step {other.step}</span></li>)}</ol></details>
        </section>
    );
}

/** The whole lesson for paper, one page for each stop. */
export function PrintedLesson(): JSX.Element | null {
    const lesson = store.book.value?.lesson, story = store.shown.value[0]?.story;
    if (!lesson || !story) return null;
    return (
        <div class="printed" aria-hidden="true">
            {lesson.stops.map((stop, i) => (
                <article key={i}>
                    <h2>{lesson.title}, {i + 1} of {lesson.stops.length}</h2>
                    {i === 0 ? <Prose text={lesson.about} /> : null}
                    <h3>{stop.title}</h3>
                    <Prose text={stop.text} />
                    {stop.question ? <><Prose text={stop.question.text} /><Prose text={stop.question.answer} /></> : null}
                    <p class="muted">{stop.step > story.first ? story.sentence(stop.step - 1) : "before the first step"}</p>
                    <dl>{termsOf(stop.text).map((term) => [<dt key={term}>{term}</dt>, <dd key={`${term}-text`}>{glossary[term] ?? ""}</dd>])}</dl>
                </article>))}
        </div>
    );
}
