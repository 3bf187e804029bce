import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { forest, Places, type Block, type Tree } from "../core/forest";
import { changeKey } from "../core/seek";
import type { State } from "../core/trace";
import { changed, changedOnly, watching } from "../store";
import type { TableData } from "./Twin";

const boxWidth = 104, boxHeight = 36, spaceX = 10, spaceY = 22;

/** One for the life of the page: blocks keep their places from step to step. */
const places = new Places();

const fates: { [fate: string]: string } = {
    new: "new copy", kept: "as committed", freed: "freed by this transaction",
};

function title(block: Block): string {
    return `block ${block.bytenr}, level ${block.level}, generation ${block.generation}, owner ${block.owner}, ` +
        `${block.refs === null ? "no extent item yet" : `${block.refs} refs`}, ${block.shared ? "shared by several trees" : fates[block.fate]}` +
        `${block.dirty ? ", dirty" : ""}${block.writeback ? ", being written" : ""}${block.lock === "" ? "" : `, locked ${block.lock}`}`;
}

function BlockBox({ block, x, y, picked, pick }: {
    block: Block; x: number; y: number; picked: boolean; pick: () => void;
}): JSX.Element {
    const isChanged = changed.value.has(changeKey("blocks", block.bytenr));
    const counts = `g${block.generation} · ${block.slots.length}${block.refs === null ? "" : ` · r${block.refs}`}`;
    return (
        <g transform={`translate(${x},${y})`} class={`block ${block.fate} ${picked ? "picked" : ""}`} role="button" tabIndex={0}
            aria-label={`${block.bytenr}${counts}${block.lock}${isChanged ? "Δ" : ""}: ${title(block)}`} onClick={pick}
            onKeyDown={(event) => { if (event.key === "Enter") pick(); }}>
            <title>{title(block)}</title>
            <rect width={boxWidth} height={boxHeight} rx={block.level === 0 ? 2 : 8} class="body" />
            {block.fate === "freed" ? <rect width={boxWidth} height={boxHeight} rx={2} fill="url(#freed)" /> : null}
            {block.shared ? <rect x={3} y={3} width={boxWidth - 6} height={boxHeight - 6} rx={2} class="inner" /> : null}
            <text x={6} y={14} class="bytenr">{block.bytenr}</text>
            <text x={6} y={29}>{counts}</text>
            {block.dirty ? <circle cx={boxWidth - 8} cy={9} r={3.5} class="dirty" /> : null}
            {block.writeback ? <path d={`M${boxWidth - 13} 6 l5 6 l5 -6`} class="writeback" /> : null}
            {block.lock === "" ? null : <g class="lock"><rect x={boxWidth - 26} y={19} width={22} height={13} rx={2} /><text x={boxWidth - 23} y={29}>{block.lock}</text></g>}
            {isChanged ? <text x={boxWidth - 24} y={14} class="delta">Δ</text> : null}
        </g>
    );
}

function side(tree: Tree, now: boolean): { blocks: Block[]; root: string | null } {
    return { blocks: tree.blocks.filter((block) => (now ? block.now : block.before)), root: now ? tree.node : tree.commitRoot };
}

function Drawing({ tree, now, columns, levels, picked, pick }: {
    tree: Tree; now: boolean; columns: Map<string, number>; levels: number; picked: string; pick: (bytenr: string) => void;
}): JSX.Element {
    const { blocks, root } = side(tree, now);
    const widest = Math.max(1, ...[...columns.values()].map((column) => column + 1));
    const x = (block: Block): number => 4 + (columns.get(block.bytenr) ?? 0) * (boxWidth + spaceX);
    const y = (block: Block): number => 4 + (levels - 1 - block.level) * (boxHeight + spaceY);
    const byAddress = new Map(blocks.map((block) => [block.bytenr, block]));
    return (
        <svg class="tree" width={widest * (boxWidth + spaceX) + 8} height={levels * (boxHeight + spaceY) - spaceY + 10}
            aria-label={`${tree.name} ${now ? "now" : "as committed"}, root ${root ?? "none"}`}>
            {blocks.flatMap((block) => block.children.map((child, slot) => {
                const below = byAddress.get(child);
                if (below === undefined) return null;
                const start = x(block) + 8 + (slot / Math.max(1, block.children.length)) * (boxWidth - 16);
                return <line key={`${block.bytenr}-${slot}`} class="edge" x1={start} y1={y(block) + boxHeight}
                    x2={x(below) + boxWidth / 2} y2={y(below)} />;
            }))}
            {blocks.map((block) => <BlockBox key={block.bytenr} block={block} x={x(block)} y={y(block)}
                picked={picked === block.bytenr} pick={() => pick(block.bytenr)} />)}
        </svg>
    );
}

function quiet(tree: Tree): boolean {
    return tree.blocks.every((block) => block.fate === "kept" && !changed.value.has(changeKey("blocks", block.bytenr)));
}

export function treeTable(state: State): TableData {
    const rows = forest(state).flatMap((tree) => tree.blocks.map((block) => ({ tree, block })));
    return {
        head: ["block", "tree", "level", "generation", "refs", "state", "lock", "slots"],
        rows: rows.map(({ tree, block }) => [
            block.bytenr, tree.name, block.level, block.generation, block.refs ?? "",
            [block.shared ? `shared, ${fates[block.fate]}` : fates[block.fate], block.dirty ? "dirty" : "", block.writeback ? "being written" : ""]
                .filter((word) => word !== "").join(", "),
            block.lock, block.slots.join(" | "),
        ]),
        marked: rows.map(({ block }) => changed.value.has(changeKey("blocks", block.bytenr))),
        pick: (row) => (watching.value = `blocks/${rows[row].block.bytenr}`),
    };
}

/** Each tree twice: as the last commit left it, and as it is now. */
export function Trees({ state }: { state: State }): JSX.Element {
    const picked = useSignal("");
    const trees = forest(state);
    const drawn = changedOnly.value ? trees.filter((tree) => !quiet(tree)) : trees;
    const still = trees.filter((tree) => !drawn.includes(tree));
    const pick = (bytenr: string): void => {
        picked.value = picked.value === bytenr ? "" : bytenr;
        watching.value = `blocks/${bytenr}`;
    };
    const block = trees.flatMap((tree) => tree.blocks).find((b) => b.bytenr === picked.value);
    return (
        <div class="trees">
            <svg width="0" height="0" aria-hidden="true">
                <defs>
                    <pattern id="freed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <line x1="0" y1="0" x2="0" y2="6" class="hatchline" />
                    </pattern>
                </defs>
            </svg>
            <p class="legend">
                <span class="key new">new copy</span> <span class="key kept">as committed</span> <span class="key freed">freed</span>{" "}
                <span>double frame: shared</span> <span>● dirty</span> <span>▾ being written</span> <span>framed W, R: locked for writing, by readers</span> <span>g generation, r refs</span>
            </p>
            {drawn.map((tree) => {
                const columns = places.assign(tree.name, tree.blocks);
                const levels = 1 + Math.max(0, ...tree.blocks.map((b) => b.level));
                const props = { tree, columns, levels, picked: picked.value, pick };
                return (
                    <div class="treepair" key={tree.name}>
                        <h3>{tree.name}</h3>
                        <div class="scroll" tabIndex={0} role="region" aria-label={`${tree.name} before and after`}>
                            <figure><figcaption>committed</figcaption><Drawing {...props} now={false} /></figure>
                            <figure><figcaption>now</figcaption><Drawing {...props} now={true} /></figure>
                        </div>
                    </div>
                );
            })}
            {still.length > 0 ? <p class="nothing">as committed: {still.map((tree) => tree.name).join(", ")}</p> : null}
            {block ? (
                <div class="slots" role="region" aria-label={`slots of block ${block.bytenr}`}>
                    <h3>{title(block)}</h3>
                    <ol start={0}>{block.slots.map((slot, i) => <li key={i}>{slot}</li>)}</ol>
                </div>
            ) : null}
        </div>
    );
}
