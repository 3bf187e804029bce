import { effect } from "@preact/signals";
import { render } from "preact";
import { fromFragment } from "./core/link";
import { embedded } from "./data";
import * as store from "./store";
import "./style.css";
import { App } from "./view/App";

effect(() => {
    const root = document.documentElement;
    if (store.theme.value === "") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", store.theme.value);
});

/** The address follows the view, without a new entry in the history for each step. */
effect(() => {
    if (store.main.value === null) return;
    const fragment = store.link();
    try {
        history.replaceState(null, "", fragment);
    } catch {
        // A browser that limits how often the address changes: it catches up with the next step.
    }
});

effect(() => {
    const trace = store.main.value?.trace;
    if (trace) document.title = `${trace.scenario.id} on ${trace.kernel}: ${trace.verdict}`;
});

async function start(): Promise<void> {
    const fragment = location.hash;
    try {
        const book = await embedded();
        if (book !== null) store.open(book, fragment);
    } catch (error) {
        store.failure.value = error instanceof Error ? error.message : String(error);
    }
    render(<App />, document.getElementById("app") as HTMLElement);
    document.documentElement.setAttribute("data-ready", "1");
    window.addEventListener("hashchange", () => {
        if (location.hash !== store.link()) store.show({ ...store.view(), ...fromAddress() });
    });
}

function fromAddress(): ReturnType<typeof store.view> {
    return fromFragment(location.hash, store.view());
}

void start();
