import type { Trace } from "./trace";

/** Ways in which a step touches something; the numbers of the trace document. */
export const accessNames = [
    "reads", "writes", "adds to", "inserts into", "looks up", "acquires", "acquires shared",
    "releases", "releases shared", "queues at",
] as const;

const changing = new Set([1, 2, 3, 5, 6, 7, 8, 9]);
export function isWrite(kind: number): boolean {
    return changing.has(kind);
}

export interface Scope {
    task: number;
    text: string;
    depth: number;
    first: number;
    last: number;
}

/** Steps from `first` up to, not including, `end`. */
export interface Stretch {
    first: number;
    end: number;
    task: number;
}

export interface Remark {
    step: number;
    task: number;
    kind: string;
    text: string;
}

export interface Alternative {
    task: number;
    text: string;
    taken: boolean;
    outcome: "" | "passes" | "fails";
}

export interface Touch {
    object: number;
    kind: number;
    key: number | string;
}

/** Whether one of two accesses of an object shows in what the other finds. */
export function conflict(a: Touch, b: Touch): boolean {
    if (a.object !== b.object) return false;
    const keyed = (touch: Touch): boolean => touch.kind === 3 || touch.kind === 4;
    if (keyed(a) && keyed(b) && a.key !== b.key) return false;
    const shared = (touch: Touch): boolean => touch.kind === 0 || touch.kind === 4 || touch.kind === 6 || touch.kind === 8;
    return !(shared(a) && shared(b)) && !(a.kind === 2 && b.kind === 2);
}

export interface Cause {
    step: number;
    how: string;
}

/**
 * Questions about an execution that panels and lanes ask: what a step was, in which functions, what
 * else could have come. Steps are numbered as in the whole execution.
 */
export class Story {
    readonly first: number;
    readonly end: number;
    readonly scopes: Scope[];
    readonly remarks: Remark[];
    private readonly firstAccess: Int32Array;
    private readonly firstCandidate: Int32Array;
    private readonly remarksOf = new Map<number, Remark[]>();
    // Made when they are first asked for: of a long execution a page opens without them.
    private touchesByObject: Map<number, number[]> | null = null;
    private stepsByTask: Map<number, number[]> | null = null;
    private rootList: number[] | null = null;
    private stretchList: Stretch[] | null = null;

    constructor(readonly trace: Trace) {
        this.first = trace.window.first;
        this.end = trace.window.first + trace.window.count;
        this.firstAccess = running(trace.accesses.count);
        this.firstCandidate = running(trace.choices.count);
        const { scopes, notes, strings } = trace;
        this.scopes = scopes.task.map((task, i) => ({
            task, text: strings[scopes.text[i]], depth: scopes.depth[i],
            first: scopes.first[i], last: scopes.last[i],
        }));
        this.remarks = notes.step.map((step, i) => ({
            step, task: notes.task[i], kind: notes.kind[i], text: strings[notes.text[i]],
        }));
        for (const remark of this.remarks) push(this.remarksOf, remark.step, remark);
    }

    has(step: number): boolean {
        return step >= this.first && step < this.end;
    }
    taskOf(step: number): number {
        return this.trace.steps.task[step - this.first] ?? 0;
    }
    taskName(task: number): string {
        return this.trace.tasks.name[task] ?? "";
    }
    objectOf(step: number): number {
        return this.trace.steps.object[step - this.first] ?? 0;
    }
    objectName(object: number): string {
        return this.trace.objects[object]?.name ?? "";
    }
    /** The scenario's own task that a worker or request goes back to. */
    rootOf(task: number): number {
        let root = task;
        while ((this.trace.tasks.parent[root] ?? -1) >= 0) root = this.trace.tasks.parent[root];
        return root;
    }
    cpuOf(task: number): number {
        return this.trace.tasks.cpu[task] ?? 0;
    }
    /** "lock tree_log_mutex" */
    operation(op: number, object: number): string {
        const name = this.objectName(object);
        const what = this.trace.operations[op] ?? "";
        return name === "" || name === "yield" ? what : `${what} ${name}`;
    }
    stepText(step: number): string {
        const { op, object } = this.trace.steps;
        const row = step - this.first;
        return this.operation(op[row], object[row]);
    }
    /** "step 9, flusher: lock delayed_refs->lock; creates ordered extent" */
    sentence(step: number): string {
        if (!this.has(step)) return step >= this.end ? "the end" : "";
        const said = this.remarksAt(step).map((remark) => remark.text).join("; ");
        return `step ${step}, ${this.taskName(this.taskOf(step))}: ${this.stepText(step)}` +
            (said === "" ? "" : `; ${said}`);
    }
    remarksAt(step: number): Remark[] {
        return this.remarksOf.get(step) ?? [];
    }
    touches(step: number): Touch[] {
        const { object, kind, key } = this.trace.accesses, first = this.firstAccess;
        const row = step - this.first;
        const list: Touch[] = [];
        for (let i = first[row]; i < first[row + 1]; ++i)
            list.push({ object: object[i], kind: kind[i], key: key[i] });
        return list;
    }
    /** Functions that a task is in when a step begins or in which it does something, outermost first. */
    stack(task: number, step: number): Scope[] {
        return this.scopes
            .filter((s) => s.task === task && s.first <= step && s.last >= step)
            .sort((a, b) => a.depth - b.depth);
    }
    alternatives(step: number): Alternative[] {
        const { step: steps, taken, task, op, object, outcome } = this.trace.choices, first = this.firstCandidate;
        const row = lowerBound(steps, step);
        if (steps[row] !== step) return [];
        const list: Alternative[] = [];
        for (let i = first[row]; i < first[row + 1]; ++i)
            list.push({
                task: task[i], text: this.operation(op[i], object[i]),
                taken: i - first[row] === taken[row],
                outcome: (["", "passes", "fails"] as const)[outcome[i]] ?? "",
            });
        return list;
    }
    stepsOfTask(task: number): number[] {
        if (this.stepsByTask === null) {
            const lists = new Map<number, number[]>();
            this.trace.steps.task.forEach((of, i) => push(lists, of, this.first + i));
            this.stepsByTask = lists;
        }
        return this.stepsByTask.get(task) ?? [];
    }
    stepsOfObject(object: number): number[] {
        this.touchesByObject ??= this.listTouches();
        return this.touchesByObject.get(object) ?? [];
    }
    private listTouches(): Map<number, number[]> {
        const lists = new Map<number, number[]>();
        const objects = this.trace.accesses.object;
        for (let step = this.first; step < this.end; ++step)
            for (let i = this.firstAccess[step - this.first]; i < this.firstAccess[step - this.first + 1]; ++i) {
                const list = lists.get(objects[i]);
                if (list === undefined) lists.set(objects[i], [step]);
                else if (list[list.length - 1] !== step) list.push(step);
            }
        return lists;
    }
    /** The scenario's own tasks that take steps, directly or by workers. */
    roots(): number[] {
        return (this.rootList ??= [...new Set([...new Set(this.trace.steps.task)].map((task) => this.rootOf(task)))]
            .sort((a, b) => a - b));
    }
    /** Stretches of steps without a change of task. */
    stretches(): readonly Stretch[] {
        if (this.stretchList !== null) return this.stretchList;
        const list: Stretch[] = [];
        for (let step = this.first; step < this.end; ++step) {
            const task = this.taskOf(step), last = list[list.length - 1];
            if (last !== undefined && last.task === task) last.end = step + 1;
            else list.push({ first: step, end: step + 1, task });
        }
        return (this.stretchList = list);
    }
    /**
     * The step of another task that this one follows from: the one that woke or made its task, or
     * the last one that touched the same so that the order of the two shows.
     */
    cause(step: number): Cause | null {
        const row = step - this.first, task = this.taskOf(step);
        const woken = this.trace.steps.woken[row] ?? -1;
        if (this.has(woken)) return { step: woken, how: "which woke it" };
        const born = (this.trace.tasks.born[task] ?? 0) - 1;
        if (this.stepsOfTask(task)[0] === step && (this.trace.tasks.parent[task] ?? -1) >= 0 && this.has(born))
            return { step: born, how: "which started it" };
        let best: Cause | null = null;
        const farthest = 200;
        for (const touch of this.touches(step)) {
            const steps = this.stepsOfObject(touch.object);
            const at = lowerBound(steps, step);
            for (let i = at - 1; i >= Math.max(0, at - farthest); --i) {
                const earlier = steps[i];
                if (best !== null && earlier <= best.step) break;
                if (this.taskOf(earlier) === task) continue;
                const found = this.touches(earlier).find((other) => conflict(touch, other));
                if (found === undefined) continue;
                best = { step: earlier, how: `which ${accessNames[found.kind]} ${this.objectName(touch.object)}` };
                break;
            }
        }
        return best;
    }
    criticalStep(): number | null {
        return this.trace.why.critical?.step ?? null;
    }
    violationStep(): number | null {
        return this.trace.violation?.step ?? null;
    }
}

/** Where each of several groups begins, and after the last one their end. */
function running(counts: readonly number[]): Int32Array {
    const first = new Int32Array(counts.length + 1);
    counts.forEach((count, i) => (first[i + 1] = first[i] + count));
    return first;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
    const list = map.get(key);
    if (list === undefined) map.set(key, [value]);
    else list.push(value);
}

/** Index of the first that is not below the value. */
export function lowerBound(sorted: readonly number[], value: number): number {
    let low = 0, high = sorted.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low;
}

/** The next or previous number of a sorted list after or before a value. */
export function neighbour(sorted: readonly number[], value: number, direction: 1 | -1): number | null {
    const at = lowerBound(sorted, direction > 0 ? value + 1 : value);
    return sorted[direction > 0 ? at : at - 1] ?? null;
}
