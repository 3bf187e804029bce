import { parseBook, UnreadableTrace, type Book } from "./core/trace";

/** base64 of gzip, as the exporter puts it into the page. */
export async function decode(text: string): Promise<string> {
    const binary = atob(text.replace(/\s+/g, ""));
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
}

export async function encode(text: string): Promise<string> {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let binary = "";
    const block = 0x8000;
    for (let at = 0; at < bytes.length; at += block)
        binary += String.fromCharCode(...bytes.subarray(at, at + block));
    return btoa(binary);
}

/** What the page carries; null: nothing, it is the empty page. */
export async function embedded(): Promise<Book | null> {
    const element = document.getElementById("interleaf-data");
    const text = element?.textContent?.trim() ?? "";
    if (text === "") return null;
    let json: string;
    try {
        json = await decode(text);
    } catch {
        throw new UnreadableTrace("The data in this page is cut or damaged: it cannot be unpacked.");
    }
    return parseBook(json);
}

/** A file that was chosen or dropped: a document, a book, or a page that carries one. */
export async function fromFile(file: File): Promise<Book> {
    const text = await file.text();
    const page = /<script[^>]*id="?interleaf-data"?[^>]*>([A-Za-z0-9+/=\s]*)<\/script>/.exec(text);
    if (page === null) return parseBook(text);
    try {
        return parseBook(await decode(page[1]));
    } catch (error) {
        if (error instanceof UnreadableTrace) throw error;
        throw new UnreadableTrace("The data in this page is cut or damaged: it cannot be unpacked.");
    }
}

/** This page with another book inside, as text: what Save writes. */
export async function pageWith(book: Book): Promise<string> {
    const copy = document.documentElement.cloneNode(true) as HTMLElement;
    const root = copy.querySelector("#app");
    if (root !== null) root.textContent = "";
    copy.removeAttribute("data-theme");
    copy.querySelector("#interleaf-data")?.remove();
    const data = document.createElement("script");
    data.id = "interleaf-data";
    data.type = "application/gzip+base64";
    data.textContent = await encode(JSON.stringify(book));
    copy.querySelector("body")?.append(data);
    return `<!doctype html>\n${copy.outerHTML}\n`;
}

export function download(name: string, content: string | Blob, type = "text/plain"): void {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
