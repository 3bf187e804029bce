import type { JSX } from "preact";
import { glossary } from "../glossary";
import type { Value } from "../core/trace";

/** 16384 as "16 KiB", as far as it comes out even. */
export function size(bytes: unknown): string {
    let number = Number(bytes);
    if (!Number.isFinite(number)) return String(bytes);
    const units = ["B", "KiB", "MiB", "GiB"];
    let unit = 0;
    while (unit < 3 && number !== 0 && number % 1024 === 0) {
        number /= 1024;
        ++unit;
    }
    return `${number} ${units[unit]}`;
}

export function words(value: Value | undefined): string {
    if (value === undefined) return "";
    if (Array.isArray(value)) return value.map((v) => (Array.isArray(v) ? v.join("+") : String(v))).join(", ");
    if (typeof value === "boolean") return value ? "yes" : "no";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A word of btrfs with what it means, where the glossary has it. */
export function Term({ word, children }: { word: string; children?: string }): JSX.Element {
    const entry = glossary[word];
    return entry === undefined ? <>{children ?? word}</> : <abbr title={entry} tabIndex={-1}>{children ?? word}</abbr>;
}
