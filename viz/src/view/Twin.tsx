import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { textView } from "../store";

export interface TableData {
    head: string[];
    rows: (string | number)[][];
    /** Rows that changed in the last step. */
    marked?: boolean[];
    /** What a click on a row does. */
    pick?: (row: number) => void;
}

/** Characters that a cell has on one line, however narrow the panel. */
const shortCell = 16;

export function DataTable({ data, label }: { data: TableData; label: string }): JSX.Element {
    if (data.rows.length === 0) return <p class="nothing">nothing</p>;
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${label}, table`}>
            <table>
                <thead>
                    <tr>{data.head.map((name) => <th scope="col" key={name}>{name}</th>)}</tr>
                </thead>
                <tbody>
                    {data.rows.map((row, i) => (
                        <tr key={i} class={data.marked?.[i] ? "marked" : ""}>
                            {row.map((cell, k) => {
                                const mark = k === 0 && data.marked?.[i]
                                    ? <span class="delta" title="changed in this step">Δ </span> : null;
                                const text = k === 0 && data.pick
                                    ? <button class="link" onClick={() => data.pick?.(i)}>{String(cell)}</button>
                                    : String(cell);
                                const fit = String(cell).length <= shortCell ? "short" : undefined;
                                return k === 0 ? <th scope="row" class={fit} key={k}>{mark}{text}</th> : <td class={fit} key={k}>{text}</td>;
                            })}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

/** A panel: a drawing, and the same as a table. Without a drawing the table is all. */
export function Twin(props: {
    id: string; title: string; digit: number; table: TableData; note?: string;
    open: boolean; onToggle: () => void; children?: ComponentChildren;
}): JSX.Element {
    const asTable = useSignal(false);
    const drawing = props.children !== undefined;
    const table = !drawing || textView.value || asTable.value;
    return (
        <section class={`panel ${props.open ? "" : "closed"}`} id={`panel-${props.id}`} aria-labelledby={`title-${props.id}`}>
            <header>
                <h2 id={`title-${props.id}`}>
                    <button class="fold" aria-expanded={props.open} onClick={props.onToggle}>
                        <span aria-hidden="true">{props.open ? "▾" : "▸"}</span> {props.title}
                        {props.digit > 0 ? <kbd aria-hidden="true">{props.digit}</kbd> : null}
                    </button>
                </h2>
                {props.note ? <span class="note">{props.note}</span> : null}
                {drawing && props.open
                    ? <button class="small" aria-pressed={table} onClick={() => (asTable.value = !asTable.value)}
                        aria-label={`${props.title} as table`}>table</button>
                    : null}
            </header>
            {props.open ? (table ? <DataTable data={props.table} label={props.title} /> : props.children) : null}
        </section>
    );
}
