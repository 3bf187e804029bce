import * as store from "./store";
import { panelList } from "./view/panels";

/** All keys, as the help shows them. */
export const keyTable: [string, string][] = [
    ["← →", "one step back, forward"],
    ["Shift+← Shift+→", "previous, next step of the same task (the selected one, or the one that ran last)"],
    [", .", "previous, next step that touches the same object"],
    ["Home End", "first, last step"],
    ["PageUp PageDown", "ten steps back, forward"],
    ["Space", "play and stop"],
    ["/", "search"],
    ["n p", "next, previous match"],
    ["N P", "next, previous stop of the lesson"],
    ["c", "the critical step"],
    ["v", "the violation"],
    ["w W", "next change of what is watched; who set it last"],
    ["b", "the alternatives here"],
    ["d", "compare"],
    ["f", "fold the lanes, and unfold them"],
    ["x", "axis: one column for each step, or for each stretch of a task"],
    ["m", "mark: a note at this step"],
    ["1 … 9", "open and close a panel"],
    ["t", "everything as text"],
    ["?", "this help"],
];

export function togglePanel(id: string): void {
    const open = store.panels.value;
    store.panels.value = open.includes(id) ? open.filter((name) => name !== id) : [...open, id];
}

const foldAll = ["-Tasks", "-Locks", "-Objects", "-Counters"];

const actions: { [key: string]: () => void } = {
    ArrowLeft: () => store.moveTo(store.cursor.value - 1),
    ArrowRight: () => store.moveTo(store.cursor.value + 1),
    "Shift+ArrowLeft": () => store.moveInTask(-1),
    "Shift+ArrowRight": () => store.moveInTask(1),
    ",": () => store.moveOnObject(-1),
    ".": () => store.moveOnObject(1),
    Home: () => store.moveTo(0),
    End: () => store.moveTo(Number.MAX_SAFE_INTEGER),
    PageUp: () => store.moveTo(store.cursor.value - 10),
    PageDown: () => store.moveTo(store.cursor.value + 10),
    " ": () => (store.playing.value = !store.playing.value),
    "/": () => document.getElementById("search")?.focus(),
    n: () => store.moveToMatch(1),
    p: () => store.moveToMatch(-1),
    N: () => store.goToStop(store.stop.value + 1),
    P: () => store.goToStop(store.stop.value - 1),
    c: () => {
        const step = store.main.value?.story.criticalStep();
        if (step !== null && step !== undefined) store.moveTo(step + 1);
    },
    v: () => {
        const step = store.main.value?.story.violationStep();
        if (step !== null && step !== undefined) store.moveTo(step);
    },
    w: () => store.moveToChange(1),
    W: () => store.moveToChange(-1),
    b: () => document.querySelector<HTMLElement>("#branches button, #branches")?.focus(),
    d: () => {
        if (store.shown.value.length > 1) store.comparing.value = !store.comparing.value;
    },
    f: () => (store.folded.value = store.folded.value.includes("-Tasks") ? [] : foldAll),
    x: () => (store.axis.value = store.axis.value === "step" ? "switch" : "step"),
    m: () => (store.dialog.value = "notes"),
    t: () => (store.textView.value = !store.textView.value),
    "?": () => (store.dialog.value = "help"),
};

function isTyping(target: EventTarget | null): boolean {
    const element = target as HTMLElement | null;
    const input = element as HTMLInputElement | null;
    return element !== null && (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT" ||
        (element.tagName === "INPUT" && !["range", "checkbox", "button"].includes(input?.type ?? "")));
}

/** Keys that elements need for themselves: a button is pressed with Space, a region scrolls. */
function belongsToTarget(event: KeyboardEvent): boolean {
    const tag = (event.target as HTMLElement | null)?.tagName ?? "";
    return event.key === " " && (tag === "BUTTON" || tag === "INPUT" || tag === "SUMMARY");
}

export function handleKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (store.dialog.value !== "" || isTyping(event.target) || belongsToTarget(event)) return;
    const single = event.key.length === 1;
    if (single && !store.shortcuts.value) return;
    if (/^[1-9]$/.test(event.key)) {
        const panel = panelList[Number(event.key) - 1];
        if (panel === undefined) return;
        event.preventDefault();
        return togglePanel(panel.id);
    }
    const action = actions[event.shiftKey && !single ? `Shift+${event.key}` : event.key];
    if (action === undefined || store.main.value === null) return;
    event.preventDefault();
    action();
}
