import type { Patch, State, Trace, Value } from "./trace";

/** Applies a JSON merge patch (RFC 7386). What does not change is shared with the target. */
export function patched<T extends object>(target: T, patch: Patch): T {
    const result = { ...target } as Record<string, unknown>;
    for (const [name, value] of Object.entries(patch)) {
        if (value === null) {
            delete result[name];
        } else if (typeof value === "object" && !Array.isArray(value)) {
            const old = result[name];
            const inner = typeof old === "object" && old !== null && !Array.isArray(old) ? old : {};
            result[name] = patched(inner, value as Patch);
        } else {
            result[name] = value as Value;
        }
    }
    return result as T;
}

/**
 * The state after any number of steps of a trace's window, at the same cost forward and back: from
 * the nearest whole state. Those on the way from it are kept until another whole state is nearer;
 * what does not change they share.
 */
export class Seeker {
    private keyframe = -1;
    /** After 0, 1, ... steps from the keyframe on, as far as was asked for. */
    private kept: State[] = [];

    constructor(private readonly trace: Trace) {}

    /** @param step  steps done, counted from the window's first */
    at(step: number): State {
        const { interval, keyframes, deltas } = this.trace.state;
        const wanted = Math.max(0, Math.min(step, deltas.length));
        const keyframe = Math.floor(wanted / interval), from = keyframe * interval;
        if (this.keyframe !== keyframe) {
            this.keyframe = keyframe;
            this.kept = [keyframes[keyframe]];
        }
        while (this.kept.length <= wanted - from)
            this.kept.push(patched(this.kept[this.kept.length - 1], deltas[from + this.kept.length - 1]));
        return this.kept[wanted - from];
    }
}

export interface Change {
    table: string;
    key: string;
    /** new, gone or changed */
    kind: "new" | "gone" | "changed";
    fields: string[];
}

/** The records in which two states differ. Shared records are not looked at. */
export function changes(before: State, after: State): Change[] {
    const list: Change[] = [];
    for (const table of new Set([...Object.keys(before), ...Object.keys(after)])) {
        const a = before[table] ?? {}, b = after[table] ?? {};
        if (a === b) continue;
        for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
            const was = a[key], is = b[key];
            if (was === is) continue;
            if (was === undefined || is === undefined) {
                list.push({ table, key, kind: was === undefined ? "new" : "gone", fields: [] });
                continue;
            }
            const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
                (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
            if (fields.length > 0) list.push({ table, key, kind: "changed", fields });
        }
    }
    return list;
}

/** The table and key of a change as one word, to look it up by. */
export function changeKey(table: string, key: string): string {
    return `${table}\u0000${key}`;
}
