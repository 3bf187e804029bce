import type { Row, State } from "./trace";

/** A tree block as the tree panel draws it. */
export interface Block {
    bytenr: string;
    level: number;
    generation: number;
    owner: string;
    slots: string[];
    children: string[];
    refs: number | null;
    dirty: boolean;
    writeback: boolean;
    lock: string;
    /** Where it is reached from: now, at the last commit, or both. */
    now: boolean;
    before: boolean;
    /** How it came to be: a new copy, as it was, in several trees, or on its way out. */
    fate: "new" | "kept" | "freed";
    shared: boolean;
}

export interface Tree {
    name: string;
    node: string | null;
    commitRoot: string | null;
    blocks: Block[];
}

function reached(state: State, root: string | null): string[] {
    const order: string[] = [];
    const seen = new Set<string>();
    const open = root === null ? [] : [root];
    while (open.length > 0) {
        const next = open.shift() as string;
        if (seen.has(next) || state.blocks?.[next] === undefined) continue;
        seen.add(next);
        order.push(next);
        open.push(...((state.blocks[next].children as (number | string)[] | undefined) ?? []).map(String));
    }
    return order;
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function blockOf(state: State, bytenr: string, now: boolean, before: boolean, owners: number): Block {
    const row: Row = state.blocks[bytenr];
    const flags = list(row.flags);
    return {
        bytenr,
        level: Number(row.level ?? 0),
        generation: Number(row.generation ?? 0),
        owner: String(row.owner ?? ""),
        slots: list(row.slots),
        children: list(row.children),
        refs: state.extents?.[bytenr] === undefined ? null : Number(state.extents[bytenr].refs),
        dirty: flags.includes("dirty"),
        writeback: flags.includes("writeback"),
        lock: String(row.lock ?? ""),
        now, before,
        fate: now && before ? "kept" : now ? "new" : "freed",
        shared: owners > 1,
    };
}

/** All trees, each with the blocks that it has now or had at the last commit. */
export function forest(state: State): Tree[] {
    const owners = new Map<string, number>();
    const rows = Object.entries(state.roots ?? {}).map(([name, root]) => {
        const node = root.node === undefined ? null : String(root.node);
        const commitRoot = root.commit_root === undefined ? null : String(root.commit_root);
        const now = reached(state, node), before = reached(state, commitRoot);
        for (const bytenr of new Set([...now, ...before]))
            owners.set(bytenr, (owners.get(bytenr) ?? 0) + 1);
        return { name, node, commitRoot, now, before };
    });
    return rows.map(({ name, node, commitRoot, now, before }) => ({
        name, node, commitRoot,
        blocks: [...new Set([...now, ...before])].map((bytenr) => blockOf(
            state, bytenr, now.includes(bytenr), before.includes(bytenr), owners.get(bytenr) ?? 0)),
    }));
}

/**
 * Places of blocks in the tree panel. A block keeps its place as long as it is there: it takes a
 * free place on its level when it first appears, and nothing else moves.
 */
export class Places {
    private readonly columns = new Map<string, number>();  // by tree, level and block

    /** @param blocks  of one tree, now or before */
    assign(tree: string, blocks: readonly Block[]): Map<string, number> {
        const present = new Set(blocks.map((block) => this.key(tree, block)));
        for (const key of [...this.columns.keys()])
            if (key.startsWith(`${tree}\u0000`) && !present.has(key)) this.columns.delete(key);
        const taken = new Map<string, Set<number>>();
        const sides = (block: Block): string[] =>
            [block.now ? `now ${block.level}` : "", block.before ? `before ${block.level}` : ""].filter((name) => name !== "");
        for (const block of blocks) {
            const column = this.columns.get(this.key(tree, block));
            if (column !== undefined) for (const side of sides(block)) used(taken, side).add(column);
        }
        // What was committed first: a copy then finds the place of what it replaces free.
        const order = [...blocks].sort((a, b) => Number(b.before) - Number(a.before));
        const result = new Map<string, number>();
        for (const block of order) {
            let column = this.columns.get(this.key(tree, block));
            if (column === undefined) {
                column = 0;
                while (sides(block).some((side) => used(taken, side).has(column as number))) ++column;
                for (const side of sides(block)) used(taken, side).add(column);
                this.columns.set(this.key(tree, block), column);
            }
            result.set(block.bytenr, column);
        }
        return result;
    }

    private key(tree: string, block: Block): string {
        return `${tree}\u0000${block.level}\u0000${block.bytenr}`;
    }
}

function used(taken: Map<string, Set<number>>, side: string): Set<number> {
    let set = taken.get(side);
    if (set === undefined) taken.set(side, (set = new Set()));
    return set;
}
