import type { Story } from "./story";

/** Two executions side by side: which steps mean the same, and where they part. */
export interface Alignment {
    /** The partner's step in B of each step of A, or -1; and the other way. */
    ofA: Int32Array;
    ofB: Int32Array;
    /** Steps that are the same from the start. */
    common: number;
    /** The first partners that found or left something else; -1: none. */
    stateA: number;
    stateB: number;
}

/** Task, operation, object by name, and the how manieth such step of the task it is. */
function meanings(story: Story): string[] {
    const seen = new Map<string, number>();
    const list: string[] = [];
    for (let step = story.first; step < story.end; ++step) {
        const what = `${story.taskName(story.taskOf(step))}\u0000${story.stepText(step)}`;
        const occurrence = (seen.get(what) ?? 0) + 1;
        seen.set(what, occurrence);
        list.push(`${what}\u0000${occurrence}`);
    }
    return list;
}

/** The longest subsequence of pairs whose second parts rise: what two orders have in common. */
export function rising(pairs: readonly (readonly [number, number])[]): (readonly [number, number])[] {
    const ends: number[] = [], before: number[] = [];
    pairs.forEach(([, b], i) => {
        let low = 0, high = ends.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (pairs[ends[middle]][1] < b) low = middle + 1;
            else high = middle;
        }
        before[i] = low > 0 ? ends[low - 1] : -1;
        ends[low] = i;
    });
    const longest: (readonly [number, number])[] = [];
    for (let i = ends.length > 0 ? ends[ends.length - 1] : -1; i >= 0; i = before[i])
        longest.push(pairs[i]);
    return longest.reverse();
}

export function align(a: Story, b: Story): Alignment {
    const inA = meanings(a), inB = meanings(b);
    const places = new Map(inB.map((meaning, i) => [meaning, i]));
    const byTask = new Map<number, [number, number][]>();
    inA.forEach((meaning, i) => {
        const partner = places.get(meaning);
        if (partner === undefined) return;
        const task = a.taskOf(a.first + i);
        byTask.set(task, [...(byTask.get(task) ?? []), [i, partner]]);
    });
    const ofA = new Int32Array(inA.length).fill(-1), ofB = new Int32Array(inB.length).fill(-1);
    for (const pairs of byTask.values())
        for (const [i, k] of rising(pairs)) {
            ofA[i] = b.first + k;
            ofB[k] = a.first + i;
        }
    let common = 0;
    while (common < inA.length && common < inB.length && inA[common] === inB[common]) ++common;
    const parted = ofA.findIndex((k, i) =>
        k >= 0 && a.trace.steps.effect[i] !== b.trace.steps.effect[k - b.first]);
    return {
        ofA, ofB, common,
        stateA: parted < 0 ? -1 : a.first + parted, stateB: parted < 0 ? -1 : ofA[parted],
    };
}

/**
 * The step of the partner execution that a step stands beside: its own partner, or the nearest
 * earlier one that has one.
 */
export function beside(partners: Int32Array, row: number): number {
    for (let i = Math.min(row, partners.length - 1); i >= 0; --i)
        if (partners[i] >= 0) return partners[i] + (row - i > 0 ? 1 : 0);
    return 0;
}
