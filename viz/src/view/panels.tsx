import dagre from "@dagrejs/dagre";
import type { ComponentChildren, JSX } from "preact";
import type { Story } from "../core/story";
import { changeKey } from "../core/seek";
import type { Row, State } from "../core/trace";
import { changed, watching } from "../store";
import { Trees, treeTable } from "./Trees";
import { DataTable, type TableData } from "./Twin";
import { size, Term, words } from "./words";

/** What a panel shows of a state. */
export interface Panel {
    id: string;
    title: string;
    tables: string[];
    table: (state: State, story: Story) => TableData;
    draw?: (state: State, story: Story) => ComponentChildren;
}

const number = (value: unknown): number => Number(value ?? 0);
const entries = (state: State, table: string): [string, Row][] => Object.entries(state[table] ?? {});
const mark = (table: string, key: string): boolean => changed.value.has(changeKey(table, key));
const byNumber = ([a]: [string, Row], [b]: [string, Row]): number => Number(a.split("/").pop()) - Number(b.split("/").pop());

/** Any table as it is: its records, and a column for each field. */
export function plainTable(state: State, table: string, key = table): TableData {
    const rows = entries(state, table);
    const fields = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))];
    return {
        head: [key, ...fields],
        rows: rows.map(([name, row]) => [name, ...fields.map((field) => words(row[field]))]),
        marked: rows.map(([name]) => mark(table, name)),
        pick: (row) => (watching.value = `${table}/${rows[row][0]}`),
    };
}

// ---- transactions

const states = ["RUNNING", "COMMIT_PREP", "COMMIT_START", "COMMIT_DOING", "UNBLOCKED", "SUPER_COMMITTED", "COMPLETED"];

/** COMMIT_PREP came with 6.6. */
function statesOf(kernel: string): string[] {
    const [major, minor] = kernel.split(/[.\s]/).map(Number);
    const hasPrep = major > 6 || (major === 6 && minor >= 6);
    return states.filter((name) => hasPrep || name !== "COMMIT_PREP");
}

function Transactions({ state, kernel }: { state: State; kernel: string }): JSX.Element {
    const rows = entries(state, "transactions");
    if (rows.length === 0)
        return <p class="nothing">no transaction is running; committed: {words(state.fs?.fs?.last_committed)}</p>;
    const names = statesOf(kernel);
    return (
        <>
            {rows.map(([transid, row]) => (
                <div class="transaction" key={transid}>
                    <h3>{mark("transactions", transid) ? <span class="delta">Δ </span> : null}<Term word="transaction" /> {transid}</h3>
                    <ol class="chevrons" aria-label={`states of transaction ${transid}`}>
                        {names.map((name) => {
                            const here = name === row.state, past = names.indexOf(name) < names.indexOf(String(row.state));
                            return <li key={name} class={here ? "here" : past ? "past" : ""} aria-current={here ? "step" : undefined}>
                                {here ? "▶ " : past ? "✓ " : ""}{name}</li>;
                        })}
                    </ol>
                    <p>
                        <Term word="writer">writers</Term> <b>{words(row.writers)}</b>, from outside <b>{words(row.extwriters)}</b>;{" "}
                        queued <Term word="ref head">ref heads</Term> <b>{words(row.ref_heads)}</b> ({words(row.ref_entries)} refs);{" "}
                        dirty blocks <b>{(row.dirty_blocks as unknown[]).length}</b>; aborted{" "}
                        <b>{number(row.aborted) === 0 ? "no" : `${words(row.aborted)} in ${words(row.aborted_in)}`}</b>
                        {(row.pending_snapshots as unknown[]).length > 0 ? `; snapshots to make: ${words(row.pending_snapshots)}` : ""}
                    </p>
                </div>
            ))}
        </>
    );
}

function headTable(state: State): TableData {
    const rows = entries(state, "heads").sort(byNumber);
    return {
        head: ["transaction/extent", "bytes", "kind", "sum", "must insert", "running", "queue"],
        rows: rows.map(([key, row]) => [key, size(row.length), row.data === true ? "data" : "tree block", words(row.ref_mod),
            words(row.must_insert), words(row.processing), (row.refs as string[]).join("; ")]),
        marked: rows.map(([key]) => mark("heads", key)),
        pick: (row) => (watching.value = `heads/${rows[row][0]}`),
    };
}

// ---- block groups and devices

interface Piece { start: number; length: number; kind: string; letter: string; what: string }

function pieces(state: State, start: number, row: Row): Piece[] {
    const end = start + number(row.length);
    const list: Piece[] = [];
    const letter = String(row.type).charAt(0).toUpperCase();
    for (const [key, extent] of entries(state, "extents"))
        if (Number(key) >= start && Number(key) < end)
            list.push({ start: Number(key), length: number(extent.length), kind: "used", letter,
                what: `${extent.data === true ? "data" : "tree block"}, ${words(extent.refs)} refs` });
    for (const [key, extent] of entries(state, "pinned"))
        if (Number(key) >= start && Number(key) < end)
            list.push({ start: Number(key), length: number(extent.length), kind: "pinned", letter: "P",
                what: `pinned by transaction ${words(extent.transaction)}` });
    for (const [key, head] of entries(state, "heads")) {
        const at = Number(key.split("/")[1]);
        if (at >= start && at < end && head.must_insert === true)
            list.push({ start: at, length: number(head.length), kind: "reserved", letter: "R", what: "reserved, its item is queued" });
    }
    return list.sort((a, b) => a.start - b.start);
}

/** A block group's space from its start to the last byte that anything is about; the rest is free. */
function GroupBar({ state, start, row }: { state: State; start: number; row: Row }): JSX.Element {
    const list = pieces(state, start, row);
    const width = 420, height = 22;
    const last = Math.max(start + 65536, ...list.map((p) => p.start + p.length));
    const scale = width / (last - start);
    const kind = String(row.type).split(" ")[0];
    return (
        <svg class="bar" viewBox={`0 0 ${width + 90} ${height}`} role="img"
            aria-label={`block group ${start}: used ${size(row.used)}, pinned ${size(row.pinned)}, reserved ${size(row.reserved)} of ${size(row.length)}`}>
            <rect width={width} height={height} class={`ground ${kind}`} />
            {list.map((piece, i) => {
                const x = (piece.start - start) * scale, w = Math.max(2, piece.length * scale);
                return (
                    <g key={i} class={`piece ${piece.kind} ${kind}`}>
                        <title>{`${piece.start}, ${size(piece.length)}: ${piece.what}`}</title>
                        <rect x={x} y={1} width={Math.max(1, w - 1)} height={height - 2} />
                        {piece.kind === "pinned" ? <rect x={x} y={1} width={w} height={height - 2} fill="url(#pinned)" /> : null}
                        {w > 9 ? <text x={x + w / 2 - 3.5} y={15}>{piece.letter}</text> : null}
                    </g>
                );
            })}
            <text x={width + 6} y={15} class="rest">+ {size(number(row.length) - (last - start))}</text>
        </svg>
    );
}

function Groups({ state }: { state: State }): JSX.Element {
    return (
        <div class="groups">
            <Relocation state={state} />
            <svg width="0" height="0" aria-hidden="true">
                <defs>
                    <pattern id="pinned" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
                        <line x1="0" y1="0" x2="0" y2="5" class="hatchline" />
                    </pattern>
                </defs>
            </svg>
            <p class="legend"><span class="key data">D data</span> <span class="key metadata">M metadata</span> <span class="key system">S system</span> <span class="key reserved">R reserved</span> <span>hatched P: <Term word="pinned extent">pinned</Term></span></p>
            {entries(state, "groups").sort(byNumber).map(([start, row]) => (
                <div class="group" key={start}>
                    <div>{mark("groups", start) ? <span class="delta">Δ </span> : null}<b>{words(row.type)}</b> {start}
                        {number(row.ro) > 0 ? <strong class="flag"> read-only ×{words(row.ro)}</strong> : null}
                        {number(row.nocow_writers) > 0 ? <span class="flag"> nocow writers {words(row.nocow_writers)}</span> : null}
                        {number(row.reservations) > 0 ? <span class="flag"> reservations {words(row.reservations)}</span> : null}
                        <span class="right">{size(row.used)} used</span></div>
                    <GroupBar state={state} start={Number(start)} row={row} />
                    <ZoneOfGroup row={row} />
                </div>
            ))}
        </div>
    );
}

/** What a balance is about, and how far the relocation of a block group is. */
function Relocation({ state }: { state: State }): JSX.Element | null {
    const balance = state.relocation?.balance, row = state.relocation?.relocation;
    if (!balance && !row) return null;
    const trees = (list: unknown): string => (list as string[]).join(", ") || "none";
    return (
        <div class="group relocation">
            {balance ? <p>{mark("relocation", "balance") ? <span class="delta">Δ </span> : null}<Term word="balance" /> of{" "}
                {[balance.data === true ? "data" : "", balance.metadata === true ? "metadata" : ""].filter(Boolean).join(" and ")}
                {number(balance.pause_requests) > 0 ? ", asked to pause" : ""}{number(balance.cancel_requests) > 0 ? ", asked to end" : ""}</p> : null}
            {row ? <p>{mark("relocation", "relocation") ? <span class="delta">Δ </span> : null}<Term word="relocation" /> of{" "}
                <b>{words(row.block_group)}</b>: <b>{words(row.stage)}</b>{row.merges === true ? ", merging" : ""}; relocation trees of{" "}
                <b>{trees(row.reloc_roots)}</b>, to be merged <b>{trees(row.to_merge)}</b>, merged <b>{trees(row.merged)}</b></p> : null}
        </div>
    );
}

/** Where in a block group's zone the next extent and the next tree block go. */
function ZoneOfGroup({ row }: { row: Row }): JSX.Element | null {
    if (row.alloc_offset === undefined) return null;
    return <div class="zone">zone: {size(row.alloc_offset)} of {size(row.zone_capacity)} handed out, {size(row.zone_unusable)} unusable
        {String(row.type).startsWith("data") ? "" : `, tree blocks written up to ${words(row.meta_write_pointer)}`}{row.zone_active === true ? ", active" : ""}</div>;
}

function groupTable(state: State): TableData {
    const rows = entries(state, "groups").sort(byNumber);
    return {
        head: ["start", "type", "length", "used", "reserved", "pinned", "read-only", "reservations", "nocow writers", "free ranges"],
        rows: rows.map(([key, row]) => [key, words(row.type), size(row.length), size(row.used), size(row.reserved), size(row.pinned),
            words(row.ro), words(row.reservations), words(row.nocow_writers), (row.free as unknown[]).length]),
        marked: rows.map(([key]) => mark("groups", key)),
        pick: (row) => (watching.value = `groups/${rows[row][0]}`),
    };
}

const mib = 1024 * 1024;

function Devices({ state }: { state: State }): JSX.Element {
    const width = 420, height = 22;
    const replace = state.replace?.replace;
    return (
        <div class="devices">
            {entries(state, "devices").map(([name, row]) => {
                const total = Math.max(1, number(row.total));
                const scale = width / total;
                const cached = row.cached as [number, string][], flying = row.in_flight as [number, number][];
                const source = replace?.source === name, target = replace?.target === name;
                const cursor = number(replace?.cursor_left);
                return (
                    <div class="group" key={name}>
                        <div>{mark("devices", name) ? <span class="delta">Δ </span> : null}<b>/dev/{name}</b> devid {words(row.devid)}
                            {row.in_filesystem === true ? "" : ", not part of the filesystem"}
                            {source ? <strong class="flag"> replace source</strong> : null}{target ? <strong class="flag"> replace target</strong> : null}
                            <span class="right">{flying.length} in flight, {cached.length} in cache</span></div>
                        <svg class="bar" viewBox={`0 0 ${width} ${height + 8}`} role="img"
                            aria-label={`device ${name}: ${(row.allocated as unknown[]).length} chunks of ${size(total)}`}>
                            <rect width={width} height={height} class="ground free" />
                            {entries(state, "chunks").flatMap(([logical, chunk]) =>
                                (chunk.stripes as [string, number][]).filter((stripe) => stripe[0] === name).map((stripe, i) => (
                                    <g key={`${logical}-${i}`} class={`piece used ${String(chunk.type).split(" ")[0]}`}>
                                        <title>{`chunk ${logical}, ${String(chunk.type)}, ${size(chunk.length)} at ${stripe[1]}`}</title>
                                        <rect x={stripe[1] * scale} y={1} width={Math.max(2, number(chunk.length) * scale - 1)} height={height - 2} />
                                        <text x={stripe[1] * scale + 4} y={15}>{String(chunk.type).charAt(0).toUpperCase()}</text>
                                    </g>)))}
                            {cached.map(([physical, what], i) => <rect key={`c${i}`} x={physical * scale} y={height + 1} width={2} height={5} class="cached"><title>{`${what} at ${physical}: in the cache`}</title></rect>)}
                            {flying.map(([physical], i) => <path key={`f${i}`} d={`M${physical * scale - 3} ${height + 7} l3 -6 l3 6 z`} class="flying"><title>{`write to ${physical} in flight`}</title></path>)}
                            {source || target ? <g class="cursorleft"><title>{`copied up to ${cursor}`}</title>
                                <rect x={Math.min(width - 1, cursor * scale)} y={0} width={2} height={height + 8} /><text x={Math.min(width - 36, cursor * scale + 4)} y={height + 7}>copied</text></g> : null}
                        </svg>
                    </div>
                );
            })}
            <Zones state={state} />
            <Contents state={state} />
            <p class="legend">▴ write in flight; ticks: in the volatile cache, lost if the power fails now; unit {size(mib)}</p>
        </div>
    );
}

/** How far each zone is written. */
function Zones({ state }: { state: State }): JSX.Element | null {
    const rows = entries(state, "zones").map(([key, row]) => ({ key, row, device: key.split("/")[0], start: Number(key.split("/")[1]) }))
        .sort((a, b) => (a.device === b.device ? a.start - b.start : a.device < b.device ? -1 : 1));
    if (rows.length === 0) return null;
    return <DataTable label="zones of the devices" data={{
        head: ["zone", "condition", "write pointer", "written"],
        rows: rows.map(({ key, row, start }) => [key, words(row.condition), words(row.write_pointer),
            `${size(number(row.write_pointer) - start)} of ${size(row.length)}`]),
        marked: rows.map(({ key }) => mark("zones", key)),
        pick: (row) => (watching.value = `zones/${rows[row].key}`),
    }} />;
}

/** What the devices hold of the files' data, side by side: where copies differ, it shows. */
function Contents({ state }: { state: State }): JSX.Element | null {
    const devices = entries(state, "devices").map(([name, row]) => ({ name, data: new Map(row.data as [number, string][]) }));
    const places = [...new Set(devices.flatMap((device) => [...device.data.keys()]))].sort((a, b) => a - b);
    if (places.length === 0) return null;
    return <DataTable label="data on the devices" data={{
        head: ["data at", ...devices.map((device) => `/dev/${device.name}`), "copies"],
        rows: places.map((place) => {
            const held = devices.map((device) => device.data.get(place) ?? "–");
            const differs = new Set(held.filter((word) => word !== "–")).size > 1;
            return [place, ...held, differs ? "≠ the copies differ" : "alike"];
        }),
    }} />;
}

function deviceTable(state: State): TableData {
    const rows = entries(state, "devices");
    return {
        head: ["device", "devid", "size", "allocated", "part of filesystem", "in flight", "lost if power fails now", "flushes", "state"],
        rows: rows.map(([name, row]) => [name, words(row.devid), size(row.total), words(row.allocated), words(row.in_filesystem),
            words(row.in_flight), (row.cached as [number, string][]).map((c) => `${c[1]} ${c[0]}`).join(", "), words(row.flushes), words(row.state)]),
        marked: rows.map(([name]) => mark("devices", name)),
        pick: (row) => (watching.value = `devices/${rows[row][0]}`),
    };
}

// ---- space

function Space({ state }: { state: State }): JSX.Element {
    const width = 420;
    const kinds: [string, string][] = [["used", "U"], ["reserved", "R"], ["pinned", "P"], ["readonly", "ro"], ["may_use", "m"]];
    return (
        <div class="groups">
            {entries(state, "space").map(([name, row]) => {
                const parts = kinds.map(([field, letter]) => ({ field, letter, bytes: number(row[field]) })).filter((part) => part.bytes > 0);
                const sum = parts.reduce((total, part) => total + part.bytes, 0);
                let at = 0;
                return (
                    <div class="group" key={name}>
                        <div>{mark("space", name) ? <span class="delta">Δ </span> : null}<b>{name}</b>{row.full === true ? <strong class="flag"> full</strong> : null}
                            <span class="right">{parts.map((part) => `${part.field} ${size(part.bytes)}`).join(", ") || "empty"} of {size(row.total)}</span></div>
                        <svg class="bar" viewBox={`0 0 ${width} 16`} role="img" aria-label={`${name}: ${parts.map((part) => `${part.field} ${size(part.bytes)}`).join(", ")}`}>
                            <rect width={width} height={16} class="ground free" />
                            {parts.map((part) => {
                                const x = at, w = (part.bytes / Math.max(sum, 1)) * width;
                                at += w;
                                return <g key={part.field} class={`piece space-${part.field}`}><title>{`${part.field} ${size(part.bytes)}`}</title>
                                    <rect x={x} y={1} width={Math.max(1, w - 1)} height={14} />{w > 12 ? <text x={x + 3} y={12}>{part.letter}</text> : null}</g>;
                            })}
                        </svg>
                    </div>
                );
            })}
            <p class="legend">Parts of what is taken, by size: U used, R reserved, P pinned, m promised (<Term word="space_info">may use</Term>)</p>
        </div>
    );
}

function spaceTable(state: State): TableData {
    const infos = entries(state, "space"), reserves = entries(state, "reserves");
    return {
        head: ["space", "total", "used", "reserved", "pinned", "read-only", "may use", "full"],
        rows: [...infos.map(([name, row]) => [name, size(row.total), size(row.used), size(row.reserved), size(row.pinned), size(row.readonly), size(row.may_use), words(row.full)]),
            ...reserves.map(([name, row]) => [`reserve ${name}`, size(row.size), "", size(row.reserved), "", "", "", words(row.full)])],
        marked: [...infos.map(([name]) => mark("space", name)), ...reserves.map(([name]) => mark("reserves", name))],
    };
}

// ---- files

function fileTable(state: State): TableData {
    const files = entries(state, "files"), ordered = entries(state, "ordered");
    return {
        head: ["inode", "names", "size", "on disk", "pages", "dirty", "delalloc", "writeback", "what"],
        rows: [...files.map(([key, row]) => [key, words(row.names) || (row.directory === true ? "/" : ""), words(row.size), words(row.disk_size), (row.pages as [number, string][]).map(([i, w]) => `${i}: ${w}`).join(", "), words(row.dirty_pages), words(row.delalloc),
            words(row.writeback_pages), `${row.directory === true ? "directory" : "file"}${row.nocow === true ? ", nocow" : ""}`]),
        ...ordered.map(([key, row]) => [key, "", words(row.length), words(row.disk), "", "", "", `${words(row.bytes_left)} left`, `ordered extent ${words(row.flags)}`])],
        marked: [...files.map(([key]) => mark("files", key)), ...ordered.map(([key]) => mark("ordered", key))],
        pick: (row) => (watching.value = row < files.length ? `files/${files[row][0]}` : `ordered/${ordered[row - files.length][0]}`),
    };
}

// ---- tasks and locks

function taskTable(state: State): TableData {
    const rows = entries(state, "tasks");
    return {
        head: ["task", "status", "next", "holds", "in", "kind"],
        rows: rows.map(([name, row]) => [name, words(row.status), words(row.next), words(row.holds), words(row.in), words(row.kind)]),
        marked: rows.map(([name]) => mark("tasks", name)),
    };
}

const waitsFor = /^(?:lock|read-lock|wait|resume|try-lock)\s+(.+)$/;

/** Who waits for what, and who holds it. Only what somebody waits for is drawn. */
function WaitGraph({ state }: { state: State }): JSX.Element {
    const tasks = entries(state, "tasks");
    const waiting = tasks.filter(([, row]) => row.status === "waits").map(([name, row]) => ({ name, on: waitsFor.exec(String(row.next))?.[1] ?? String(row.next) }));
    if (waiting.length === 0) return <><p class="nothing">nobody waits</p><Ready state={state} /></>;
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: "LR", nodesep: 8, ranksep: 26, marginx: 4, marginy: 4 });
    graph.setDefaultEdgeLabel(() => ({}));
    const node = (id: string, label: string): void => {
        if (!graph.hasNode(id)) graph.setNode(id, { label, width: Math.min(190, 14 + label.length * 6), height: 22 });
    };
    for (const { name, on } of waiting.slice(0, 60)) {
        node(`t${name}`, name);
        node(`o${on}`, on);
        graph.setEdge(`t${name}`, `o${on}`, { kind: "waits" });
        for (const [holder, row] of tasks)
            for (const lock of row.holds as string[])
                if (lock.replace(" (shared)", "") === on) {
                    node(`t${holder}`, holder);
                    graph.setEdge(`o${on}`, `t${holder}`, { kind: "holds" });
                }
    }
    dagre.layout(graph);
    const { width, height } = graph.graph();
    return (
        <>
            <div class="scroll" tabIndex={0} role="region" aria-label="who waits for what">
                <svg width={width ?? 100} height={height ?? 40} role="img" aria-label={waiting.map((w) => `${w.name} waits for ${w.on}`).join("; ")}>
                    {graph.edges().map((edge, i) => {
                        const { points, kind } = graph.edge(edge) as { points: { x: number; y: number }[]; kind: string };
                        return <polyline key={i} class={`edge ${kind}`} points={points.map((p) => `${p.x},${p.y}`).join(" ")} />;
                    })}
                    {graph.nodes().map((id) => {
                        const { x, y, width: w, height: h, label } = graph.node(id) as { x: number; y: number; width: number; height: number; label: string };
                        return <g key={id} class={`node ${id.startsWith("t") ? "task" : "object"}`} transform={`translate(${x - w / 2},${y - h / 2})`}>
                            <title>{label}</title><rect width={w} height={h} rx={id.startsWith("t") ? 10 : 2} />
                            <text x={7} y={15}>{label.length > 29 ? `${label.slice(0, 28)}…` : label}</text></g>;
                    })}
                </svg>
            </div>
            <p class="legend">solid: waits for; dashed: is held by</p>
            <Ready state={state} />
        </>
    );
}

function Ready({ state }: { state: State }): JSX.Element {
    return (
        <ul class="ready">
            {entries(state, "tasks").filter(([, row]) => row.status !== "waits").map(([name, row]) => (
                <li key={name}><b>{name}</b>: {words(row.next)}{(row.holds as unknown[]).length > 0 ? `; holds ${words(row.holds)}` : ""}</li>))}
        </ul>
    );
}

// ---- invariants and messages

function invariantTable(_: State, story: Story): TableData {
    const list = [...story.trace.invariants].sort((a, b) => Number(b.violated) - Number(a.violated));
    return {
        head: ["invariant", "verdict", "checked", "where", "what it says"],
        rows: list.map((i) => [i.name, i.violated ? `✗ violated at step ${story.trace.violation?.step ?? ""}` : i.evaluated > 0 ? "✓ ok" : "– not evaluated",
            `${i.evaluated} times`, i.where, i.sentence]),
        marked: list.map((i) => i.violated),
    };
}

function Invariants({ story }: { story: Story }): JSX.Element {
    const list = story.trace.invariants;
    const bad = list.filter((i) => i.violated), ok = list.filter((i) => !i.violated && i.evaluated > 0);
    const violation = story.trace.violation;
    return (
        <>
            <p><b>{ok.length}</b> ok, <b>{violation ? 1 : 0}</b> violated, {list.length - ok.length - bad.length} not evaluated</p>
            {violation ? <p class="violation">✗ <b>{violation.signature}</b>: {violation.text}</p> : null}
            {bad.map((i) => <p key={i.name}>{i.name}: {i.sentence}</p>)}
            {story.trace.messages.length > 0 ? <pre class="messages">{story.trace.messages.join("\n")}</pre> : null}
        </>
    );
}

export const panelList: Panel[] = [
    { id: "transaction", title: "Transaction", tables: ["transactions", "fs"], table: (state) => plainTable(state, "transactions", "transid"),
        draw: (state, story) => <Transactions state={state} kernel={story.trace.kernel} /> },
    { id: "trees", title: "Trees before and after", tables: ["blocks", "roots"], table: treeTable, draw: (state) => <Trees state={state} /> },
    { id: "refs", title: "Delayed references", tables: ["heads"], table: headTable },
    { id: "groups", title: "Block groups", tables: ["groups", "relocation", "pinned", "extents"], table: groupTable, draw: (state) => <Groups state={state} /> },
    { id: "devices", title: "Devices", tables: ["devices", "zones", "chunks", "replace", "scrub"], table: deviceTable, draw: (state) => <Devices state={state} /> },
    { id: "space", title: "Space", tables: ["space", "reserves"], table: spaceTable, draw: (state) => <Space state={state} /> },
    { id: "files", title: "Files and ordered extents", tables: ["files", "ordered"], table: fileTable },
    { id: "tasks", title: "Tasks and locks", tables: ["tasks"], table: taskTable, draw: (state) => <WaitGraph state={state} /> },
    { id: "invariants", title: "Invariants and messages", tables: [], table: invariantTable, draw: (_, story) => <Invariants story={story} /> },
];

/** Tables that this page has no panel for, shown as they are: what a newer model tells. */
export function otherTables(state: State): string[] {
    const known = new Set([...panelList.flatMap((panel) => panel.tables), "pinned"]);
    return Object.keys(state).filter((name) => !known.has(name));
}
/** Small tables beside the panels that draw them. */
export const sideTables = ["pinned", "extents", "relocation", "zones", "chunks", "replace", "scrub", "roots", "fs"];
