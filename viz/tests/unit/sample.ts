import type { Patch, State, Trace } from "../../src/core/trace";

/** A small execution: two tasks, one lock, a record that comes, changes and goes. */
export function sample(options: { order?: number[]; effects?: number[]; names?: string[] } = {}): Trace {
    const order = options.order ?? [0, 1, 0, 1, 0, 1, 0, 1];
    const names = options.names ?? ["writer", "flusher"];
    const count = order.length;
    const deltas: Patch[] = order.map((task, i) => ({
        fs: { fs: { generation: i + 1 } },
        heads: i === 2 ? { "3/4096": { sum: 1, refs: ["add 1"] } } : i === 5 ? { "3/4096": null } : { "3/8192": { sum: i } },
        tasks: { [names[task]]: { status: "ready", holds: [`lock ${i}`] } },
    } as unknown as Patch));
    const keyframes: State[] = [];
    let state: State = { fs: { fs: { generation: 0 } }, heads: {}, tasks: {} };
    const interval = 3;
    for (let i = 0; i <= count; ++i) {
        if (i % interval === 0) keyframes.push(JSON.parse(JSON.stringify(state)) as State);
        if (i < count) state = merged(state, deltas[i]) as State;
    }
    return {
        format: "interleaf-trace", version: 1, program: "0", revision: 1,
        scenario: { id: "test/001", title: "t", description: "", label: "test/001@0", prepare: [], tasks: [] },
        kernel: "6.1", token: "il1:x", command: "interleaf replay il1:x", verdict: "CLEAN", violation: null,
        counts: { steps: count, switches: 1, deviations: 0 }, window: { first: 0, count },
        messages: [], ladder: "", why: {}, operations: ["start", "lock", "write"],
        tasks: { name: names, parent: names.map(() => -1), kind: names.map(() => 0), cpu: names.map((_, i) => i + 1), born: names.map(() => 0) },
        steps: {
            task: order, op: order.map((_, i) => (i % 3 === 0 ? 1 : 2)), object: order.map(() => 1), woken: order.map(() => -1),
            effect: options.effects ?? order.map((_, i) => i),
        },
        accesses: { count: order.map(() => 1), object: order.map(() => 1), kind: order.map((_, i) => (i % 2 === 0 ? 1 : 0)), key: order.map(() => 0) },
        scopes: { task: [0], text: [0], depth: [0], first: [0], last: [count - 1] },
        notes: { step: [2], task: [0], kind: ["note"], text: [1] },
        holds: { object: [1], task: [0], first: [0], last: [3], shared: [0], where: [0] },
        waits: { object: [1], task: [1], first: [1], last: [3], shared: [0], where: [0] },
        choices: { step: [1], taken: [1], count: [2], task: [0, 1], op: [1, 2], object: [1, 1], outcome: [2, 1] },
        state: { interval, keyframes, deltas },
        invariants: [], objects: [{ name: "", kind: "", key: 0 }, { name: "tree_log_mutex", kind: "mutex", key: 0 }],
        strings: ["btrfs_sync_log", "creates ordered extent"],
    };
}

/** RFC 7386 once more, written another way: what seeking is held against. */
export function merged(target: unknown, patch: unknown): unknown {
    if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
    const copy = typeof target === "object" && target !== null && !Array.isArray(target)
        ? JSON.parse(JSON.stringify(target)) as Record<string, unknown> : {};
    for (const name of Object.keys(patch)) {
        const value = (patch as Record<string, unknown>)[name];
        if (value === null) delete copy[name];
        else copy[name] = merged(copy[name], value);
    }
    return copy;
}
