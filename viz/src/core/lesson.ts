/** A piece of a lesson's text: plain, a word of the glossary, or code. */
export interface Piece {
    kind: "text" | "term" | "code";
    text: string;
    /** What the glossary calls it. */
    term: string;
}

/** [copy on write], [copied|copy on write], `code`; whatever else stands there is text. */
export function pieces(text: string): Piece[] {
    const list: Piece[] = [];
    let at = 0;
    for (const mark of text.matchAll(/\[([^\]|]+)(?:\|([^\]]+))?\]|`([^`]+)`/g)) {
        if (mark.index > at) list.push({ kind: "text", text: text.slice(at, mark.index), term: "" });
        list.push(mark[3] !== undefined
            ? { kind: "code", text: mark[3], term: "" }
            : { kind: "term", text: mark[1], term: mark[2] ?? mark[1] });
        at = mark.index + mark[0].length;
    }
    if (at < text.length) list.push({ kind: "text", text: text.slice(at), term: "" });
    return list;
}

/** The terms of a text, each once, in order. */
export function termsOf(text: string): string[] {
    return [...new Set(pieces(text).filter((piece) => piece.kind === "term").map((piece) => piece.term))];
}

/** The text without marks: what is read aloud. */
export function plain(text: string): string {
    return pieces(text).map((piece) => piece.text).join("");
}
