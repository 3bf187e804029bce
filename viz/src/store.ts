import { batch, computed, signal } from "@preact/signals";
import { align, beside, type Alignment } from "./core/align";
import { axisPositions, layoutLanes } from "./core/lanes";
import { fromFragment, plainView, toFragment, type View } from "./core/link";
import { search } from "./core/search";
import { changeKey, changes, Seeker } from "./core/seek";
import { neighbour, Story } from "./core/story";
import { plain } from "./core/lesson";
import type { Book, Branch, Note, State } from "./core/trace";

/** One execution with what was made of it. */
export class Shown {
    readonly story: Story;
    readonly seeker: Seeker;
    private lanesMade: ReturnType<typeof layoutLanes> | null = null;

    constructor(readonly trace: Book["traces"][number]) {
        this.story = new Story(trace);
        this.seeker = new Seeker(trace);
    }
    /** The state after so many steps of the whole execution. */
    state(steps: number): State {
        return this.seeker.at(steps - this.story.first);
    }
    get lanes(): ReturnType<typeof layoutLanes> {
        return (this.lanesMade ??= layoutLanes(this.story));
    }
}

export const book = signal<Book | null>(null);
export const failure = signal("");
export const current = signal(0);
/** Steps done: the cursor stands after step `cursor - 1` and before step `cursor`. */
export const cursor = signal(0);
export const axis = signal<"step" | "switch">("step");
export const selectedTask = signal("");
export const selectedObject = signal("");
/** Panels that are open. */
export const usualPanels: readonly string[] = ["transaction", "trees", "refs", "groups", "invariants"];
export const panels = signal<string[]>([...usualPanels]);
export const comparing = signal(false);
export const linked = signal(true);
export const otherCursor = signal(0);
export const textView = signal(false);
export const changedOnly = signal(true);
export const playing = signal(false);
export const shortcuts = signal(true);
export const dialog = signal<"" | "help" | "notes" | "save" | "glossary">("");
export const query = signal("");
/** The step that a search with `is:` speaks of: where the cursor was when it was typed. */
export const searchedFrom = signal(-1);
export const notes = signal<Note[]>([]);
export const watching = signal("");
export const folded = signal<readonly string[]>([]);
export const theme = signal<"" | "light" | "dark">("");
export const announcement = signal("");
export const stop = signal(-1);

export const shown = computed<Shown[]>(() => (book.value?.traces ?? []).map((trace) => new Shown(trace)));
export const main = computed<Shown | null>(() => shown.value[current.value] ?? null);
/** The execution beside it: the next one that the page carries. */
export const other = computed<Shown | null>(() =>
    comparing.value ? shown.value[(current.value + 1) % Math.max(1, shown.value.length)] ?? null : null);

export const state = computed<State>(() => main.value?.state(cursor.value) ?? {});
export const stateBefore = computed<State>(() => {
    const story = main.value?.story;
    return story && cursor.value > story.first ? main.value?.state(cursor.value - 1) ?? {} : state.value;
});
export const changed = computed<ReadonlySet<string>>(() => {
    const before = stateBefore.value, after = state.value;
    if (before === after) return new Set();
    const set = new Set<string>();
    for (const change of changes(before, after)) {
        set.add(change.table);
        set.add(changeKey(change.table, change.key));
    }
    return set;
});
export const positions = computed(() => (main.value ? axisPositions(main.value.story, axis.value) : new Float64Array(1)));

export const alignment = computed<Alignment | null>(() => {
    const a = main.value, b = other.value;
    return a === null || b === null ? null : align(a.story, b.story);
});
/** Where the other execution stands: beside this one, or where it was left. */
export const besideCursor = computed(() => {
    const found = alignment.value, a = main.value, b = other.value;
    if (found === null || a === null || b === null) return 0;
    if (!linked.value) return otherCursor.value;
    const last = cursor.value - 1 - a.story.first;
    return last < 0 ? b.story.first : Math.min(b.story.end, beside(found.ofA, last) + 1);
});
export const otherState = computed<State>(() => other.value?.state(besideCursor.value) ?? {});

export const matches = computed<number[]>(() => {
    const shownNow = main.value;
    if (shownNow === null || query.value.trim() === "") return [];
    const plain = new Seeker(shownNow.trace);
    return search(shownNow.story, query.value, (step) => plain.at(step + 1 - shownNow.story.first),
        searchedFrom.value);
});

export function moveTo(steps: number): void {
    const story = main.value?.story;
    if (story === undefined) return;
    cursor.value = Math.max(story.first, Math.min(story.end, Math.round(steps)));
    announcement.value = cursor.value === story.first
        ? "before the first step" : story.sentence(cursor.value - 1);
}

/** To the next or previous step that a list names; the cursor stands after it. */
function moveAmong(steps: readonly number[], direction: 1 | -1): void {
    const next = neighbour(steps, cursor.value - 1, direction);
    if (next !== null) moveTo(next + 1);
}

export function moveInTask(direction: 1 | -1): void {
    const story = main.value?.story;
    if (story === undefined) return;
    const chosen = story.trace.tasks.name.indexOf(selectedTask.value);
    const task = chosen >= 0 ? chosen : story.taskOf(Math.max(story.first, cursor.value - 1));
    moveAmong(story.stepsOfTask(task), direction);
}

export function moveOnObject(direction: 1 | -1): void {
    const story = main.value?.story;
    if (story === undefined) return;
    const chosen = story.trace.objects.findIndex(
        (object, index) => index > 0 && object.name === selectedObject.value);
    const object = chosen > 0 ? chosen : story.objectOf(Math.max(story.first, cursor.value - 1));
    moveAmong(story.stepsOfObject(object), direction);
}

export function moveToMatch(direction: 1 | -1): void {
    moveAmong(matches.value, direction);
}

/** Watching: a table and key whose record changed. Forward, or who set it last. */
export function moveToChange(direction: 1 | -1): void {
    const shownNow = main.value;
    const separator = watching.value.indexOf("/");
    if (shownNow === null || separator < 0) return;
    const table = watching.value.slice(0, separator), key = watching.value.slice(separator + 1);
    const { deltas } = shownNow.trace.state;
    const first = shownNow.story.first;
    for (let row = cursor.value - first + (direction > 0 ? 0 : -2); row >= 0 && row < deltas.length; row += direction) {
        const part = deltas[row][table];
        if (part !== undefined && part !== null && key in (part as object)) return moveTo(first + row + 1);
    }
    announcement.value = `${watching.value} does not change ${direction > 0 ? "after" : "before"} this`;
}

export function view(): View {
    return {
        trace: current.value, step: cursor.value, axis: axis.value, task: selectedTask.value,
        object: selectedObject.value, panels: panels.value, compare: comparing.value,
        token: main.value?.trace.token ?? "", stop: stop.value,
    };
}

/** To a stop of the lesson, as it is told there. */
export function goToStop(index: number): void {
    const stops = book.value?.lesson?.stops ?? [];
    const there = stops[index];
    if (there === undefined) return;
    batch(() => {
        stop.value = index;
        current.value = 0;
        comparing.value = false;
        panels.value = [...(there.panels ?? [])];
        moveTo(there.step);
        announcement.value = `stop ${index + 1} of ${stops.length}: ${there.title}. ${plain(there.text)}`;
    });
}

/** The recorded execution that takes this candidate where the cursor stands; null: it was not recorded. */
export function branchAt(step: number, candidate: number): Branch | null {
    if (current.value !== 0) return null;
    return book.value?.lesson?.branches.find((branch) => branch.step === step && branch.candidate === candidate) ?? null;
}

/** Lets another task come next: the execution that this leads to, after its first step. */
export function takeBranch(branch: Branch): void {
    batch(() => {
        current.value = branch.trace;
        moveTo(branch.step + 1);
    });
}

export function show(next: View): void {
    batch(() => {
        current.value = Math.min(next.trace, Math.max(0, shown.value.length - 1));
        axis.value = next.axis;
        selectedTask.value = next.task;
        selectedObject.value = next.object;
        panels.value = next.panels.length > 0 ? next.panels : [...usualPanels];
        comparing.value = next.compare && shown.value.length > 1;
        const stops = book.value?.lesson?.stops ?? [];
        if (stops.length > 0) stop.value = Math.max(0, Math.min(next.stop, stops.length - 1));
        moveTo(next.step);
    });
}

/** Takes a book: the cursor goes where its address says, or where it matters. */
export function open(next: Book, fragment: string): void {
    batch(() => {
        book.value = next;
        failure.value = "";
        notes.value = next.notes ?? [];
        current.value = 0;
        stop.value = -1;
        const story = main.value?.story;
        const critical = story?.criticalStep();
        const usual = (critical !== null && critical !== undefined ? critical + 1 : story?.violationStep() ?? story?.end ?? 0);
        const compares = next.compare === true && next.traces.length > 1;
        const wanted = fromFragment(fragment, { ...plainView, step: usual });
        show({ ...wanted, compare: fragment === "" ? compares : wanted.compare });
        if (next.lesson !== undefined && (fragment === "" || (wanted.trace === 0 && wanted.step === next.lesson.stops[stop.value]?.step)))
            goToStop(stop.value);
    });
}

export function link(): string {
    return toFragment(view());
}
