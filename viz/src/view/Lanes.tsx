import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { scaleLinear } from "d3-scale";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Box, Lane } from "../core/lanes";
import { axisPositions } from "../core/lanes";
import { lowerBound } from "../core/story";
import * as store from "../store";
import type { Shown } from "../store";

const rowHeight = 15;
const gap = 3;
const topSpace = 24;
/** Calls that are nested deeper share the last row. */
const mostRows = 9;
const folds = ["CPUs", "Tasks", "Locks", "Objects", "Counters"] as const;
const shownWhenFolded: { [group: string]: number } = { CPUs: 99, Tasks: 99, Locks: 8, Objects: 6, Counters: 99 };

interface Placed { lane: Lane; y: number; height: number }

function place(lanes: Lane[], open: readonly string[]): { placed: Placed[]; height: number; hidden: Map<string, number> } {
    const placed: Placed[] = [];
    const hidden = new Map<string, number>();
    let y = topSpace;
    for (const group of folds) {
        const all = lanes.filter((lane) => lane.group === group);
        const some = open.includes(`-${group}`) ? [] : open.includes(group) ? all : all.slice(0, shownWhenFolded[group]);
        if (some.length < all.length) hidden.set(group, all.length - some.length);
        for (const lane of some) {
            const height = Math.min(lane.depth, mostRows) * rowHeight + gap + (lane.values ? 8 : 0);
            placed.push({ lane, y, height });
            y += height;
        }
        y += some.length > 0 ? 6 : 0;
    }
    return { placed, height: y, hidden };
}

function colours(element: HTMLElement): (name: string) => string {
    const style = getComputedStyle(element);
    return (name) => style.getPropertyValue(name).trim();
}

/** Diagonal lines: what waits. Drawn as lines, not as a colour. */
function hatch(context: CanvasRenderingContext2D, x: number, y: number, w: number, h: number): void {
    context.save();
    context.beginPath();
    context.rect(x, y, w, h);
    context.clip();
    context.beginPath();
    for (let at = x - h; at < x + w; at += 5) {
        context.moveTo(at, y + h);
        context.lineTo(at + h, y);
    }
    context.stroke();
    context.restore();
}

/** The lanes of one execution: who ran, in which functions, with which locks, while what existed. */
export function Lanes({ shown, cursor, move, label, partner }: {
    shown: Shown; cursor: number; move: (steps: number) => void; label: string;
    partner?: { lonely: (step: number) => boolean; from: number; to: number } | undefined;
}): JSX.Element {
    const canvas = useRef<HTMLCanvasElement>(null);
    const frame = useRef<HTMLDivElement>(null);
    const zoom = useSignal(0);
    const width = useSignal(800);
    const hover = useSignal<{ x: number; y: number; text: string } | null>(null);
    const left = useRef(0);
    const story = shown.story;
    /** A lesson's page fills as the reader goes: what is to come is not drawn. */
    const told = store.stop.value >= 0 ? cursor : story.end;
    const layout = useComputed(() => place(shown.lanes, store.folded.value));
    const positions = axisPositions(story, store.axis.value);
    const total = positions[positions.length - 1];

    const pixels = (): number => {
        if (zoom.value > 0) return zoom.value;
        const fit = width.value / Math.max(1, total);
        return fit > 2 ? fit : store.axis.value === "switch" ? Math.max(fit, 14) : 7;
    };
    const position = (steps: number): number =>
        positions[Math.max(0, Math.min(positions.length - 1, steps - story.first))];

    /** The window follows the cursor, and stands still as long as that is well inside. */
    const follow = (): number => {
        const visible = width.value / pixels();
        const at = position(cursor);
        const margin = Math.min(visible * 0.2, 30);
        if (at < left.current + margin) left.current = at - margin;
        if (at > left.current + visible - margin) left.current = at - visible + margin;
        left.current = Math.max(0, Math.min(left.current, Math.max(0, total - visible)));
        return left.current;
    };

    const draw = (): void => {
        const element = canvas.current;
        const context = element?.getContext("2d");
        if (!element || !context) return;
        const { placed, height } = layout.value;
        const ratio = window.devicePixelRatio || 1;
        element.width = Math.round(width.value * ratio);
        element.height = Math.round(height * ratio);
        element.style.height = `${height}px`;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        const colour = colours(element);
        const scale = pixels();
        const from = follow();
        const x = (steps: number): number => (position(steps) - from) * scale;
        context.fillStyle = colour("--canvas");
        context.fillRect(0, 0, width.value, height);
        context.font = "11px system-ui, sans-serif";
        context.textBaseline = "middle";
        drawAxis(context, colour, from, scale, height);
        if (partner && partner.to > partner.from) {
            context.fillStyle = colour("--race");
            context.fillRect(x(partner.from), topSpace, Math.max(2, x(partner.to) - x(partner.from)), height);
        }
        const roots = story.roots();
        context.save();
        context.beginPath();
        context.rect(0, 0, told < story.end ? Math.max(0, x(told)) : width.value, height);
        context.clip();
        for (const { lane, y, height: laneHeight } of placed) {
            if (lane.values) drawCounter(context, colour, lane.values, x, y, laneHeight);
            for (const box of lane.boxes) drawBox(context, colour, box, x, y, roots.indexOf(box.root));
        }
        context.restore();
        for (const { lane, y, height: laneHeight } of placed) {
            context.fillStyle = colour("--grid");
            context.fillRect(0, y + laneHeight - 1, width.value, 0.5);
            context.fillStyle = colour("--text");
            if (lane.values) context.fillText(String(lane.values[cursor - story.first] ?? 0), Math.min(width.value - 20, x(cursor) + 4), y + 8);
        }
        drawMarks(context, colour, x, height);
        drawCause(context, colour, x, placed);
    };

    const drawAxis = (context: CanvasRenderingContext2D, colour: (name: string) => string, from: number, scale: number, height: number): void => {
        const visible = width.value / scale;
        const ticks = scaleLinear().domain([from, from + visible]).range([0, width.value]);
        context.fillStyle = colour("--muted");
        for (const tick of ticks.ticks(Math.max(2, Math.floor(width.value / 90)))) {
            if (tick > total || !Number.isInteger(tick)) continue;
            const at = ticks(tick);
            context.fillStyle = colour("--grid");
            context.fillRect(at, topSpace - 6, 1, height);
            context.fillStyle = colour("--muted");
            const text = String(store.axis.value === "step" ? tick + story.first : tick);
            context.fillText(text, at + 3, 8);
        }
    };
    const drawBox = (context: CanvasRenderingContext2D, colour: (name: string) => string, box: Box, x: (s: number) => number, y: number, root: number): void => {
        const a = x(box.first), b = x(box.end);
        if (b < 0 || a > width.value) return;
        const w = Math.max(1, b - a - (b - a > 4 ? 1 : 0));
        const top = y + Math.min(box.depth, mostRows - 1) * rowHeight;
        const paint = box.root < 0 ? colour("--object") : colour(`--task-${root % 6}`);
        context.strokeStyle = paint;
        context.lineWidth = 1;
        if (box.style === "wait") {
            hatch(context, a, top + 1, w, rowHeight - 3);
            context.strokeRect(a + 0.5, top + 1.5, w, rowHeight - 4);
        } else if (box.style === "share" || box.style === "life") {
            context.globalAlpha = 0.18;
            context.fillStyle = paint;
            context.fillRect(a, top + 1, w, rowHeight - 2);
            context.globalAlpha = 1;
            context.strokeRect(a + 0.5, top + 1.5, w, rowHeight - 3);
        } else {
            context.globalAlpha = box.style === "call" ? 0.55 - Math.min(box.depth, 8) * 0.04 : 1;
            context.fillStyle = paint;
            context.fillRect(a, top + 1, w, rowHeight - 2);
            context.globalAlpha = 1;
        }
        const start = Math.max(a, 0);
        const room = b - start - 6;
        if (room < 24 || box.label === "") return;
        context.fillStyle = box.style === "run" || box.style === "hold" ? colour("--on-task") : colour("--text");
        const fits = Math.floor(room / 5.6);
        context.fillText(box.label.length > fits ? `${box.label.slice(0, fits - 1)}…` : box.label, start + 3, top + rowHeight / 2 + 0.5);
    };
    const drawCounter = (context: CanvasRenderingContext2D, colour: (name: string) => string, values: number[], x: (s: number) => number, y: number, height: number): void => {
        const most = Math.max(1, ...sample(values));
        const level = (value: number): number => y + height - 3 - (value / most) * (height - 8);
        context.strokeStyle = colour("--text");
        context.lineWidth = 1;
        context.beginPath();
        let before = -1;
        for (let i = 0; i < values.length; ++i) {
            const at = x(story.first + i);
            if (at < -20 || at > width.value + 20) continue;
            if (before < 0) context.moveTo(at, level(values[i]));
            else {
                context.lineTo(at, level(values[before]));
                context.lineTo(at, level(values[i]));
            }
            before = i;
        }
        context.stroke();
    };
    const drawMarks = (context: CanvasRenderingContext2D, colour: (name: string) => string, x: (s: number) => number, height: number): void => {
        const line = (steps: number, paint: string, glyph: string, dash: number[]): void => {
            const at = Math.round(x(steps)) + 0.5;
            context.strokeStyle = paint;
            context.fillStyle = paint;
            context.setLineDash(dash);
            context.beginPath();
            context.moveTo(at, topSpace - 6);
            context.lineTo(at, height);
            context.stroke();
            context.setLineDash([]);
            context.fillText(glyph, Math.min(at + 2, width.value - 12), topSpace - 7);
        };
        for (const match of store.main.value === shown ? store.matches.value : []) {
            context.fillStyle = colour("--match");
            context.fillRect(x(match), topSpace - 4, Math.max(2, pixels() - 1), 4);
        }
        const critical = story.criticalStep(), violation = story.violationStep();
        if (critical !== null && critical < told) line(critical + 1, colour("--critical"), "C", [5, 3]);
        if (violation !== null && violation <= told) line(violation, colour("--bad"), "✗", [2, 2]);
        for (const note of store.notes.value)
            if (store.shown.value[note.trace] === shown) line(note.step, colour("--muted"), "✎", [1, 4]);
        if (partner) {
            context.fillStyle = colour("--critical");
            for (let step = story.first; step < story.end; ++step) {
                const at = x(step);
                if (at < 0 || at > width.value || !partner.lonely(step)) continue;
                context.beginPath();
                context.moveTo(at + 3, topSpace - 3);
                context.lineTo(at + 6, topSpace);
                context.lineTo(at + 3, topSpace + 3);
                context.lineTo(at, topSpace);
                context.fill();
            }
        }
        const a = x(Math.max(story.first, cursor - 1)), b = x(cursor);
        context.fillStyle = colour("--cursor");
        context.globalAlpha = 0.18;
        if (cursor > story.first) context.fillRect(a, topSpace - 6, Math.max(2, b - a), height);
        context.globalAlpha = 1;
        context.fillRect(Math.round(b) - 1, topSpace - 10, 2, height);
    };
    /** From the step that this one follows from, to it. */
    const drawCause = (context: CanvasRenderingContext2D, colour: (name: string) => string, x: (s: number) => number, placed: Placed[]): void => {
        if (cursor <= story.first) return;
        const step = cursor - 1, cause = story.cause(step);
        if (cause === null) return;
        const yOf = (s: number): number | null => {
            const id = `task ${story.taskName(story.taskOf(s))}`, other = `requests ${story.taskName(story.rootOf(story.taskOf(s)))}`;
            const found = placed.find((p) => p.lane.id === id) ?? placed.find((p) => p.lane.id === other);
            return found ? found.y + rowHeight / 2 : null;
        };
        const y0 = yOf(cause.step), y1 = yOf(step);
        if (y0 === null || y1 === null) return;
        const x0 = x(cause.step + 1), x1 = x(step);
        context.strokeStyle = context.fillStyle = colour("--text");
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo(x0 + 12, y0, x1 - 12, y1, x1 - 4, y1);
        context.stroke();
        context.beginPath();
        context.moveTo(x1, y1);
        context.lineTo(x1 - 6, y1 - 3);
        context.lineTo(x1 - 6, y1 + 3);
        context.fill();
        context.lineWidth = 1;
    };

    const latest = useRef(draw);
    latest.current = draw;
    useEffect(() => {
        const element = frame.current;
        if (!element) return undefined;
        const observer = new ResizeObserver(() => {
            width.value = Math.max(100, Math.floor(element.clientWidth));
        });
        observer.observe(element);
        width.value = Math.max(100, Math.floor(element.clientWidth));
        return () => observer.disconnect();
    }, []);
    useEffect(() => draw());
    useSignalEffect(() => {
        // What drawing depends on besides the cursor.
        void [store.theme.value, store.matches.value, store.notes.value, zoom.value, width.value, layout.value];
        latest.current();
    });
    useEffect(() => {
        const media = matchMedia("(prefers-color-scheme: dark)");
        const again = (): void => latest.current();
        media.addEventListener("change", again);
        return () => media.removeEventListener("change", again);
    }, []);

    const hit = (event: MouseEvent): { steps: number; placed: Placed | undefined; box: Box | undefined } => {
        const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
        const at = (event.clientX - rect.left) / pixels() + left.current;
        const y = event.clientY - rect.top;
        let row = lowerBound(positions as unknown as number[], at);
        if (positions[row] > at && row > 0) --row;
        const step = Math.min(story.end - 1, story.first + row);
        const found = layout.value.placed.find((p) => y >= p.y && y < p.y + p.height);
        const depth = found ? Math.floor((y - found.y) / rowHeight) : 0;
        const inside = found?.lane.boxes.filter((box) => box.first <= step && box.end > step) ?? [];
        return { steps: step + 1, placed: found, box: inside.filter((box) => Math.min(box.depth, mostRows - 1) === depth).pop() ?? inside[0] };
    };
    const zoomBy = (factor: number): void => {
        zoom.value = Math.max(width.value / Math.max(1, total), Math.min(60, pixels() * factor));
    };
    const gutter = layout.value;
    return (
        <div class="lanes">
            <div class="lanetools">
                <span class="lanelabel">{label}</span>
                <button class="small" onClick={() => zoomBy(1.5)} aria-label="wider steps">+</button>
                <button class="small" onClick={() => zoomBy(1 / 1.5)} aria-label="narrower steps">−</button>
                <button class="small" onClick={() => (zoom.value = width.value / Math.max(1, total))}>fit</button>
                {folds.map((group) => {
                    const open = store.folded.value, count = gutter.hidden.get(group) ?? 0;
                    const closed = open.includes(`-${group}`);
                    const next = closed ? open.filter((name) => name !== `-${group}`)
                        : open.includes(group) ? [...open.filter((name) => name !== group), `-${group}`]
                        : count > 0 ? [...open, group] : [...open, `-${group}`];
                    return (
                        <button class="small" key={group} aria-pressed={!closed} onClick={() => (store.folded.value = next)}
                            title={closed ? "show these lanes" : "more, fewer or none of these lanes"}>
                            {group}{count > 0 ? ` (+${count})` : ""}
                        </button>
                    );
                })}
            </div>
            <div class="lanebody">
                <div class="gutter" style={{ height: `${gutter.height}px` }}>
                    {gutter.placed.map(({ lane, y, height }) => (
                        <button key={lane.id} class={`lane ${isSelected(lane) ? "selected" : ""}`} style={{ top: `${y}px`, height: `${height}px` }}
                            title={lane.name} onClick={() => select(lane)}>{lane.name}</button>
                    ))}
                </div>
                <div class="canvasframe" ref={frame}>
                    <canvas ref={canvas} role="img" tabIndex={0}
                        aria-label={`${label}: lanes of CPUs, tasks, locks and objects over ${story.end - story.first} steps. The same as text: the list of steps, and key t.`}
                        onClick={(event) => {
                            const found = hit(event);
                            move(found.steps);
                            if (found.placed) select(found.placed.lane);
                        }}
                        onMouseMove={(event) => {
                            const found = hit(event);
                            if (found.steps > told) {
                                hover.value = null;
                                return;
                            }
                            const rect = event.currentTarget.getBoundingClientRect();
                            const text = found.box
                                ? `${found.box.label || found.placed?.lane.name}: steps ${found.box.first} to ${found.box.end - 1}`
                                : story.sentence(found.steps - 1);
                            hover.value = { x: event.clientX - rect.left, y: event.clientY - rect.top, text };
                        }}
                        onMouseLeave={() => (hover.value = null)}
                        onWheel={(event) => {
                            if (!event.ctrlKey) return;
                            event.preventDefault();
                            zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2);
                        }} />
                    {hover.value
                        ? <div class="tip" aria-hidden="true" style={{
                            left: `${Math.min(hover.value.x + 12, Math.max(0, width.value - 320))}px`, top: `${hover.value.y + 14}px`,
                        }}>{hover.value.text}</div>
                        : null}
                </div>
            </div>
        </div>
    );
}

function sample(values: number[]): number[] {
    const stride = Math.max(1, Math.floor(values.length / 5000));
    return values.filter((_, i) => i % stride === 0);
}

function isSelected(lane: Lane): boolean {
    return (lane.group === "Tasks" && lane.name === store.selectedTask.value) ||
        (lane.group === "Locks" && lane.name === store.selectedObject.value) ||
        (lane.group === "Objects" && watchName(lane) === store.watching.value);
}

function watchName(lane: Lane): string {
    const space = lane.id.indexOf(" ");
    return `${lane.id.slice(0, space)}/${lane.id.slice(space + 1)}`;
}

function select(lane: Lane): void {
    if (lane.group === "Tasks") store.selectedTask.value = lane.name;
    if (lane.group === "Locks") store.selectedObject.value = lane.name;
    if (lane.group === "Objects") store.watching.value = watchName(lane);
}
