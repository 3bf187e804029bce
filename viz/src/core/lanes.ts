import type { Story } from "./story";
import { patched } from "./seek";
import type { Patch, Table } from "./trace";

/** A box in a lane: steps from `first` up to, not including, `end`. */
export interface Box {
    first: number;
    end: number;
    label: string;
    /** The scenario's task whose colour it has, or -1. */
    root: number;
    /** Nested calls are drawn below one another. */
    depth: number;
    style: "run" | "call" | "hold" | "share" | "wait" | "life";
}

export interface Lane {
    id: string;
    group: "CPUs" | "Tasks" | "Locks" | "Objects" | "Counters";
    name: string;
    depth: number;
    boxes: Box[];
    /** Counters: the value after each step, from the window's first on. */
    values?: number[];
}

const life: { table: string; what: string }[] = [
    { table: "transactions", what: "transaction" },
    { table: "ordered", what: "ordered extent" },
    { table: "heads", what: "ref head" },
    { table: "pinned", what: "pinned" },
];
const lanesOfLives = 40;

function cpuLanes(story: Story): Lane[] {
    const lanes = new Map<number, Lane>();
    for (const { first, end, task } of story.stretches()) {
        const cpu = story.cpuOf(task);
        let lane = lanes.get(cpu);
        if (lane === undefined)
            lanes.set(cpu, (lane = { id: `cpu ${cpu}`, group: "CPUs", name: `CPU ${cpu}`, depth: 1, boxes: [] }));
        lane.boxes.push({
            first, end, label: story.taskName(task), root: story.rootOf(task), depth: 0, style: "run",
        });
    }
    return [...lanes.entries()].sort((a, b) => a[0] - b[0]).map((entry) => entry[1]);
}

/** The scenario's tasks and the workers that enter functions; short requests share a lane. */
function taskLanes(story: Story): Lane[] {
    const names = story.trace.tasks.name;
    const lanes = new Map<string, Lane>();
    const calls = new Map<number, number>();
    for (const scope of story.scopes) calls.set(scope.task, Math.max(calls.get(scope.task) ?? 0, scope.depth + 1));
    const laneOf = (task: number): Lane => {
        const root = story.rootOf(task);
        const own = task === root || (calls.get(task) ?? 0) > 2;
        const id = own ? `task ${names[task]}` : `requests ${names[root]}`;
        let lane = lanes.get(id);
        if (lane === undefined) {
            lane = {
                id, group: "Tasks", name: own ? names[task] : `${names[root]}: requests`,
                depth: own ? 1 + (calls.get(task) ?? 0) : 1, boxes: [],
            };
            lanes.set(id, lane);
        }
        return lane;
    };
    story.trace.tasks.parent.forEach((parent, task) => {
        if (parent < 0) laneOf(task);
    });
    for (const { first, end, task } of story.stretches()) {
        const lane = laneOf(task);
        lane.boxes.push({
            first, end, label: lane.depth === 1 ? names[task].split("/").pop() ?? "" : "",
            root: story.rootOf(task), depth: 0, style: "run",
        });
    }
    for (const scope of story.scopes) {
        const lane = laneOf(scope.task);
        if (lane.depth === 1) continue;
        lane.boxes.push({
            first: scope.first, end: Math.min(scope.last + 1, story.end), label: scope.text,
            root: story.rootOf(scope.task), depth: scope.depth + 1, style: "call",
        });
    }
    return [...lanes.values()];
}

function lockLanes(story: Story): Lane[] {
    const lanes = new Map<number, Lane>();
    const laneOf = (object: number): Lane => {
        let lane = lanes.get(object);
        if (lane === undefined) {
            lane = {
                id: `object ${story.objectName(object)}#${object}`, group: "Locks",
                name: story.objectName(object), depth: 1, boxes: [],
            };
            lanes.set(object, lane);
        }
        return lane;
    };
    const { holds, waits } = story.trace;
    holds.object.forEach((object, i) => laneOf(object).boxes.push({
        first: holds.first[i], end: holds.last[i] + 1, label: story.taskName(holds.task[i]),
        root: story.rootOf(holds.task[i]), depth: 0, style: holds.shared[i] !== 0 ? "share" : "hold",
    }));
    waits.object.forEach((object, i) => {
        if (story.objectName(object) === "") return;
        laneOf(object).boxes.push({
            first: waits.first[i], end: waits.last[i] + 1,
            label: `${story.taskName(waits.task[i])} waits`, root: story.rootOf(waits.task[i]),
            depth: 0, style: "wait",
        });
    });
    const waited = (lane: Lane): boolean => lane.boxes.some((box) => box.style === "wait");
    const held = (lane: Lane): boolean => lane.boxes.some((box) => box.style !== "wait");
    const rank = (lane: Lane): number => (!held(lane) ? 2 : waited(lane) ? 0 : 1);
    return [...lanes.values()].sort((a, b) => rank(a) - rank(b) ||
        a.boxes[0].first - b.boxes[0].first || (a.name < b.name ? -1 : 1));
}

/** From when to when records were there: read off the changes, which name what comes and goes. */
function objectLanes(story: Story): Lane[] {
    const lanes: Lane[] = [];
    const start = story.trace.state.keyframes[0];
    for (const { table, what } of life) {
        const open = new Map<string, number>();
        const found = new Map<string, Lane>();
        const close = (key: string, end: number): void => {
            const first = open.get(key) ?? story.first;
            open.delete(key);
            let lane = found.get(key);
            if (lane === undefined) {
                lane = { id: `${table} ${key}`, group: "Objects", name: `${what} ${key}`, depth: 1, boxes: [] };
                found.set(key, lane);
            }
            lane.boxes.push({ first, end, label: `${what} ${key}`, root: -1, depth: 0, style: "life" });
        };
        for (const key of Object.keys(start[table] ?? {})) open.set(key, story.first);
        story.trace.state.deltas.forEach((delta, i) => {
            const part = delta[table];
            if (part === undefined || part === null) return;
            for (const [key, value] of Object.entries(part)) {
                if (value === null) close(key, story.first + i + 1);
                else if (!open.has(key)) open.set(key, story.first + i);
            }
        });
        for (const key of [...open.keys()]) close(key, story.end);
        lanes.push(...[...found.values()].sort((a, b) => a.boxes[0].first - b.boxes[0].first)
            .slice(0, lanesOfLives));
    }
    return lanes;
}

const counters: { name: string; table: string; of: (table: Table) => number }[] = [
    { name: "transaction writers", table: "transactions", of: (t) => sum(t, "writers") },
    { name: "queued ref heads", table: "heads", of: (t) => Object.keys(t).length },
    {
        name: "writes in flight", table: "devices",
        of: (t) => Object.values(t).reduce((n, d) => n + (Array.isArray(d.in_flight) ? d.in_flight.length : 0), 0),
    },
];

function sum(table: Table, field: string): number {
    return Object.values(table).reduce((total, row) => total + Number(row[field] ?? 0), 0);
}

/** Each counter looks at one table alone: the rest of the state is not made for it. */
function counterLanes(story: Story): Lane[] {
    const { keyframes, deltas } = story.trace.state;
    return counters.map(({ name, table, of }): Lane => {
        let records: Table = keyframes[0][table] ?? {};
        const values = [of(records)];
        for (const delta of deltas) {
            const change = delta[table];
            if (change === undefined || change === null) {
                values.push(values[values.length - 1]);
                continue;
            }
            records = patched(records, change as Patch);
            values.push(of(records));
        }
        return { id: `counter ${name}`, group: "Counters", name, depth: 1, boxes: [], values };
    });
}

/** All lanes in their order, which never changes while an execution is looked at. */
export function layoutLanes(story: Story): Lane[] {
    return [
        ...cpuLanes(story), ...taskLanes(story), ...lockLanes(story), ...objectLanes(story),
        ...counterLanes(story),
    ];
}

/** Where steps stand on the axis: one column for each step, or one for each stretch of a task. */
export function axisPositions(story: Story, axis: "step" | "switch"): Float64Array {
    const count = story.end - story.first;
    const positions = new Float64Array(count + 1);
    if (axis === "step") {
        for (let i = 0; i <= count; ++i) positions[i] = i;
        return positions;
    }
    let column = 0;
    for (const { first, end } of story.stretches()) {
        for (let step = first; step < end; ++step)
            positions[step - story.first] = column + (step - first) / (end - first);
        ++column;
    }
    positions[count] = column;
    return positions;
}
