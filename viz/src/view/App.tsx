import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Trace } from "../core/trace";
import { togglePanel, handleKey } from "../keys";
import { download, fromFile, pageWith } from "../data";
import * as store from "../store";
import { Compare, Difference } from "./Compare";
import { Help, NotesDialog } from "./dialogs";
import { Lanes } from "./Lanes";
import { LessonBar, PrintedLesson } from "./Lesson";
import { otherTables, panelList, plainTable, sideTables } from "./panels";
import { Transport } from "./Transport";
import { Twin } from "./Twin";

function copy(text: string, what: string): void {
    const done = (): void => { store.announcement.value = `${what} copied`; };
    navigator.clipboard?.writeText(text).then(done, () => { store.announcement.value = `${what}: ${text}`; });
}

function save(kind: "page" | "notes"): void {
    const now = store.book.value, trace = store.main.value?.trace;
    if (now === null || trace === undefined) return;
    const name = trace.scenario.id.replace(/[^a-z0-9]+/gi, "-");
    if (kind === "page") {
        void pageWith({ ...now, notes: store.notes.value }).then((page) => download(`${name}.html`, page, "text/html"));
        return;
    }
    const lines = store.notes.value.map((note) => {
        const story = store.shown.value[note.trace]?.story;
        return `- **step ${note.step}**: ${note.text}\n  (${story && note.step > story.first ? story.sentence(note.step - 1) : "before the first step"})`;
    });
    download(`${name}-notes.md`, `# ${trace.scenario.label} on ${trace.kernel}\n\n\`${trace.command}\`\n\n${lines.join("\n")}\n`, "text/markdown");
}

/** The lanes as a picture for slides. */
function picture(): void {
    const canvas = document.querySelector<HTMLCanvasElement>(".lanes canvas");
    canvas?.toBlob((blob) => { if (blob) download("lanes.png", blob); });
}

async function take(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
        store.open(await fromFile(file), "");
    } catch (error) {
        store.failure.value = error instanceof Error ? error.message : String(error);
        store.book.value = null;
    }
}

function Header(): JSX.Element {
    const trace = store.main.value?.trace;
    const themes = ["", "light", "dark"] as const;
    return (
        <header class="top">
            <span class="brand">interleaf</span>
            {trace ? <>
                <h1>{trace.scenario.id} <span class="kernel">on {trace.kernel}</span></h1>
                <span class={`verdict ${trace.verdict.toLowerCase()}`}>{trace.verdict === "FAIL" ? "✗ " : trace.verdict === "CLEAN" ? "✓ " : "? "}{trace.verdict}
                    {trace.violation ? ` ${trace.violation.signature} @ step ${trace.violation.step}` : ""}</span>
                <span class="tools">
                    <button onClick={() => copy(trace.token, "token")} title={trace.token}>token</button>
                    <button onClick={() => copy(location.href.replace(/#.*/, "") + store.link(), "link")}>link</button>
                    <button onClick={() => copy(`interleaf export ${trace.token} --to html -o ${trace.scenario.id.replace(/\//g, "-")}.html`, "command")}>command</button>
                    <button onClick={() => copy(trace.ladder, "ladder")}>ladder</button>
                    <button onClick={picture}>picture</button>
                    {store.shown.value.length > 1 && store.book.value?.lesson === undefined
                        ? <button aria-pressed={store.comparing.value} onClick={() => (store.comparing.value = !store.comparing.value)}>Compare</button> : null}
                    <button onClick={() => (store.dialog.value = "notes")}>Notes{store.notes.value.length > 0 ? ` (${store.notes.value.length})` : ""}</button>
                    <button onClick={() => save("page")}>Save</button>
                </span>
            </> : <span class="tools" />}
            <button onClick={() => (store.dialog.value = "help")} aria-label="help: keys and words">?</button>
            <button aria-label={`theme: ${store.theme.value || "as the system"}`}
                onClick={() => (store.theme.value = themes[(themes.indexOf(store.theme.value) + 1) % 3])}>{{ "": "◐", light: "☀", dark: "☾" }[store.theme.value]}</button>
        </header>
    );
}

/** One sentence on what just happened, with links to the steps that it follows from. */
function WhyLine(): JSX.Element | null {
    const story = store.main.value?.story;
    if (!story) return null;
    const step = store.cursor.value - 1;
    if (step < story.first) return <p class="why">The prepared state: nothing has run yet. <kbd>→</kbd> takes the first step.</p>;
    const cause = story.cause(step);
    const why = story.trace.why;
    const critical = why.critical?.step === step ? why.critical : null;
    const violation = story.trace.violation;
    const remarks = story.remarksAt(step).filter((remark) => remark.text !== violation?.text); // said below
    const go = (to: number): JSX.Element => <button class="link" onClick={() => store.moveTo(to + 1)}>step {to}</button>;
    return (
        <p class="why">
            <b>{story.taskName(story.taskOf(step))}</b> {story.stepText(step)}
            {remarks.map((remark, i) => <span key={i} class={remark.kind}> · {remark.text}</span>)}.{" "}
            {cause ? <>It follows from {go(cause.step)} of {story.taskName(story.taskOf(cause.step))}, {cause.how}. </> : null}
            {critical ? <strong>The critical step: before it {critical.before.passing} of {critical.before.passing + critical.before.failing} continuations pass, after it {critical.exact ? "all" : `all ${critical.after.failing} that were tried`} fail. </strong> : null}
            {violation && store.cursor.value >= violation.step ? <strong class="violation">✗ {violation.text} </strong> : null}
            {why.flips && why.flips.needed_order.length > 0 && (critical || (violation && store.cursor.value >= violation.step))
                ? <>Needed order: {why.flips.needed_order.map((s, i) => <>{i > 0 ? " < " : ""}{go(s)}</>)}. </> : null}
        </p>
    );
}

/** What else could come next, and what came of it when it was tried. */
function Branches(): JSX.Element | null {
    const story = store.main.value?.story;
    if (!story) return null;
    const list = story.alternatives(store.cursor.value);
    const counts = { passes: 0, fails: 0, open: 0 };
    for (const a of list) ++counts[a.outcome === "" ? "open" : a.outcome];
    return (
        <div class="branches" id="branches" tabIndex={-1} role="group" aria-label="Alternatives here">
            <span class="label">next:</span>
            {list.length === 0
                ? <span class="muted">{store.cursor.value >= story.end ? "nothing, this is the end" : `${story.taskName(story.taskOf(store.cursor.value))}: ${story.stepText(store.cursor.value)} (no choice)`}</span>
                : <>
                    {list.map((a, i) => {
                        const recorded = store.branchAt(store.cursor.value, i);
                        return <button key={i} class={`branch ${a.taken ? "taken" : ""} ${a.outcome}`} disabled={!a.taken && recorded === null}
                            title={a.taken ? "what came" : a.outcome === "" ? "not tried" : `tried, the default order after it: ${a.outcome}${recorded ? "; go there" : ""}`}
                            onClick={() => (recorded ? store.takeBranch(recorded) : store.moveTo(store.cursor.value + 1))}>
                            {a.outcome === "passes" ? "✓" : a.outcome === "fails" ? "✗" : "?"} {story.taskName(a.task)}: {a.text}{a.taken ? " ◀" : recorded ? " ▸" : ""}</button>;
                    })}
                    <span class="muted">{counts.passes} pass, {counts.fails} fail, {counts.open} open{counts.fails === list.length ? ": whoever comes next, it fails" : ""}</span>
                </>}
        </div>
    );
}

/** What a window of the whole lies around. */
function cutTo(trace: Trace): string {
    if (trace.why.critical) return "a window around the critical step";
    return trace.violation ? "a window around the violation" : "a window";
}

/** The steps around the cursor, as text: also what a reader of the lanes without eyes has. */
function StepList(): JSX.Element | null {
    const story = store.main.value?.story;
    if (!story) return null;
    const around = store.textView.value ? 20 : 6;
    const from = Math.max(story.first, Math.min(store.cursor.value - 1 - around, story.end - 2 * around - 1));
    const to = Math.min(story.end, from + 2 * around + 1);
    const rows: JSX.Element[] = [];
    for (let step = from; step < to; ++step) {
        const here = step === store.cursor.value - 1;
        const stack = story.stack(story.taskOf(step), step);
        rows.push(
            <tr key={step} class={here ? "here" : ""} aria-current={here ? "step" : undefined}>
                <th scope="row"><button class="link" onClick={() => store.moveTo(step + 1)}>{step}</button></th>
                <td>{story.cpuOf(story.taskOf(step))}</td><td>{story.taskName(story.taskOf(step))}</td>
                <td>{stack.length > 0 ? stack[stack.length - 1].text : ""}</td>
                <td>{story.stepText(step)}{story.remarksAt(step).map((r, i) => <span key={i} class={r.kind}> → {r.text}</span>)}</td>
            </tr>);
    }
    return (
        <div class="steplist scroll" tabIndex={0} role="region" aria-label="Steps around the cursor">
            <table><thead><tr><th scope="col">step</th><th scope="col">CPU</th><th scope="col">task</th><th scope="col">function</th><th scope="col">what</th></tr></thead>
                <tbody>{rows}</tbody></table>
        </div>
    );
}

function State(): JSX.Element | null {
    const shown = store.main.value;
    if (!shown) return null;
    const state = store.state.value;
    const open = store.panels.value;
    return (
        <aside class="state" aria-label={`State after ${store.cursor.value} steps`}>
            <div class="statehead">
                <h2>State after {store.cursor.value} steps</h2>
                <label><input type="checkbox" checked={store.changedOnly.value} onChange={(e) => (store.changedOnly.value = e.currentTarget.checked)} /> only trees that differ</label>
                <button class="small" aria-pressed={store.textView.value} onClick={() => (store.textView.value = !store.textView.value)}>text</button>
            </div>
            {store.watching.value !== "" ? (
                <p class="watch">watching <b>{store.watching.value}</b>{" "}
                    <button class="small" onClick={() => store.moveToChange(-1)}>set last</button>{" "}
                    <button class="small" onClick={() => store.moveToChange(1)}>next change</button>{" "}
                    <button class="small" aria-label="watch nothing" onClick={() => (store.watching.value = "")}>×</button></p>
            ) : null}
            {panelList.map((panel, i) => {
                const touched = panel.tables.some((table) => store.changed.value.has(table));
                return (
                    <Twin key={panel.id} id={panel.id} title={panel.title} digit={i + 1} open={open.includes(panel.id)}
                        onToggle={() => togglePanel(panel.id)} table={panel.table(state, shown.story)} {...(touched ? { note: "Δ changed" } : {})}>
                        {panel.draw ? panel.draw(state, shown.story) : undefined}
                    </Twin>
                );
            })}
            {[...otherTables(state), ...(store.textView.value ? sideTables : [])].map((table) => (
                <Twin key={table} id={`table-${table}`} title={table} digit={0} open={open.includes(`table-${table}`) || store.textView.value} onToggle={() => togglePanel(`table-${table}`)} table={plainTable(state, table)} />))}
            <Twin id="ladder" title="Ladder" digit={0} open={open.includes("ladder")} onToggle={() => togglePanel("ladder")} table={{ head: [], rows: [] }}>
                <pre class="ladder" tabIndex={0}>{shown.trace.ladder}</pre>
            </Twin>
        </aside>
    );
}

function Empty(): JSX.Element {
    return (
        <main class="empty">
            <h1>interleaf</h1>
            {store.failure.value !== "" ? <p role="alert" class="failure">{store.failure.value}</p> : null}
            <p>This page shows an execution of a simulated btrfs, step by step. It carries none{store.failure.value === "" ? "" : " that can be shown"}.</p>
            <p><label class="file">Open a file of <code>interleaf export --to json</code> or a page of <code>--to html</code>:{" "}
                <input type="file" onChange={(event) => void take(event.currentTarget.files?.[0])} /></label> or drop it here.</p>
            <p>New to btrfs? <code>interleaf lesson</code> lists guided ways through an execution, and <code>interleaf lesson NAME -o lesson.html</code> makes the page of one.</p>
        </main>
    );
}

export function App(): JSX.Element {
    const live = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const drop = (event: DragEvent): void => {
            event.preventDefault();
            void take(event.dataTransfer?.files[0]);
        };
        const over = (event: DragEvent): void => event.preventDefault();
        document.addEventListener("keydown", handleKey);
        document.addEventListener("drop", drop);
        document.addEventListener("dragover", over);
        return () => {
            document.removeEventListener("keydown", handleKey);
            document.removeEventListener("drop", drop);
            document.removeEventListener("dragover", over);
        };
    }, []);
    const shown = store.main.value;
    const story = shown?.story;
    const cut = shown && shown.trace.window.count < shown.trace.counts.steps;
    return (
        <>
            <Header />
            {shown && story ? (
                <main class={store.comparing.value ? "comparing" : store.stop.value >= 0 ? "inlesson" : ""}>
                    <LessonBar />
                    <PrintedLesson />
                    {cut ? <p class="cut" role="note">This page tells steps {story.first} to {story.end - 1} of {shown.trace.counts.steps}: {cutTo(shown.trace)}. <code>interleaf export --to json</code> has them all.</p> : null}
                    <Transport />
                    <div class="columns">
                        <div class="left">
                            {store.comparing.value && store.other.value
                                ? <Compare />
                                : <Lanes shown={shown} cursor={store.cursor.value} move={store.moveTo} label={shown.trace.scenario.title} />}
                            <WhyLine />
                            <Branches />
                            <StepList />
                        </div>
                        <div class="right">
                            {store.comparing.value && store.other.value ? <Difference /> : null}
                            <State />
                        </div>
                    </div>
                </main>
            ) : <Empty />}
            <div class="visually-hidden" aria-live="polite" ref={live}>{store.announcement.value}</div>
            {store.dialog.value === "help" ? <Help /> : null}
            {store.dialog.value === "notes" ? <NotesDialog save={save} /> : null}
        </>
    );
}

