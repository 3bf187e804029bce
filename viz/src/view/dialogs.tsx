import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { glossary } from "../glossary";
import { keyTable } from "../keys";
import * as store from "../store";

export function Dialog({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
    const element = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        const dialog = element.current;
        if (dialog && !dialog.open) dialog.showModal();
        return () => dialog?.close();
    }, []);
    return (
        <dialog ref={element} aria-labelledby="dialogtitle" onClose={() => (store.dialog.value = "")}>
            <form method="dialog"><button class="close" aria-label="close">×</button></form>
            <h2 id="dialogtitle">{title}</h2>
            {children}
        </dialog>
    );
}

export function Help(): JSX.Element {
    return (
        <Dialog title="Keys and words">
            <label><input type="checkbox" checked={store.shortcuts.value} onChange={(event) => (store.shortcuts.value = event.currentTarget.checked)} />{" "}
                single-key shortcuts</label>
            <table class="keys"><tbody>{keyTable.map(([keys, what]) => (
                <tr key={keys}><th scope="row">{keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</th><td>{what}</td></tr>))}</tbody></table>
            <p>Search: words, or <code>task:flusher op:erase obj:"ref_head" lock:delayed_refs fn:commit transactions.writers&gt;1</code>; <code>is:before</code>, <code>is:after</code> and <code>is:concurrent</code> are about the step where you are.</p>
            <h3>Words</h3>
            <dl>{Object.entries(glossary).sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, text]) => [<dt key={word}>{word}</dt>, <dd key={`${word}-text`}>{text}</dd>])}</dl>
        </Dialog>
    );
}

/** Moments with a sentence; saved with the page, or as Markdown. */
export function NotesDialog({ save }: { save: (kind: "page" | "notes") => void }): JSX.Element {
    const text = useRef<HTMLInputElement>(null);
    const add = (event: Event): void => {
        event.preventDefault();
        const value = text.current?.value.trim() ?? "";
        if (value === "") return;
        store.notes.value = [...store.notes.value, { trace: store.current.value, step: store.cursor.value, text: value }];
        if (text.current) text.current.value = "";
    };
    return (
        <Dialog title="Notes">
            <form onSubmit={add} class="addnote">
                <label>At step {store.cursor.value}: <input ref={text} name="note" autofocus /></label> <button>add</button>
            </form>
            <ol class="notes">{store.notes.value.map((note, i) => (
                <li key={i}>
                    <button class="link" onClick={() => { store.current.value = note.trace; store.moveTo(note.step); }}>step {note.step}</button>: {note.text}{" "}
                    <button class="small" aria-label={`remove the note at step ${note.step}`} onClick={() => (store.notes.value = store.notes.value.filter((_, k) => k !== i))}>remove</button>
                </li>))}</ol>
            <p><button onClick={() => save("page")}>save this page with the notes</button>{" "}
                <button onClick={() => save("notes")}>notes as Markdown</button></p>
        </Dialog>
    );
}
