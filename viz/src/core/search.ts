import type { State } from "./trace";
import { conflict, type Story, type Touch } from "./story";

/**
 * A query: words that must all occur in a step's sentence or functions, and terms `task:`, `op:`,
 * `obj:`, `lock:`, `fn:`, each with a word or "quoted words"; `TABLE.FIELD>N` (`=`, `<`) compares
 * a field of the state after the step.
 */
export interface Query {
    words: string[];
    terms: { field: string; text: string }[];
    conditions: { table: string; field: string; sign: string; value: string }[];
    /** `is:before`, `is:after`, `is:concurrent`: how the step stands to the selected one. */
    relation: Relation | null;
}

const conditionPattern = /^([a-z_]+)\.([a-z_]+)(>|<|=)(.+)$/i;
const fields = new Set(["task", "op", "obj", "lock", "fn"]);
const relationWords = new Set(["before", "after", "concurrent"]);

export function parseQuery(text: string): Query {
    const query: Query = { words: [], terms: [], conditions: [], relation: null };
    for (const part of text.match(/[a-z]+:"[^"]*"|"[^"]*"|\S+/gi) ?? []) {
        const colon = part.indexOf(":");
        const name = colon > 0 ? part.slice(0, colon).toLowerCase() : "";
        const condition = conditionPattern.exec(part);
        const relation = part.toLowerCase().replace(/^is:/, "");
        if (fields.has(name))
            query.terms.push({ field: name, text: unquoted(part.slice(colon + 1)) });
        else if (name === "is" && relationWords.has(relation)) query.relation = relation as Relation;
        else if (condition)
            query.conditions.push({
                table: condition[1], field: condition[2], sign: condition[3], value: condition[4],
            });
        else query.words.push(unquoted(part));
    }
    return query;
}

function unquoted(text: string): string {
    return text.replace(/^"|"$/g, "").toLowerCase();
}

function matchesTerm(story: Story, step: number, field: string, text: string): boolean {
    const task = story.taskOf(step);
    switch (field) {
        case "task":
            return story.taskName(task).toLowerCase().includes(text);
        case "op":
            return story.stepText(step).toLowerCase().includes(text) ||
                story.remarksAt(step).some((r) => r.text.toLowerCase().includes(text));
        case "fn":
            return story.stack(task, step).some((s) => s.text.toLowerCase().includes(text));
        case "lock":
            return story.touches(step).some((t) => t.kind >= 5 && t.kind <= 8 &&
                story.objectName(t.object).toLowerCase().includes(text));
        default:
            return story.touches(step).some(
                (t) => story.objectName(t.object).toLowerCase().includes(text)) ||
                story.objectName(story.objectOf(step)).toLowerCase().includes(text);
    }
}

function holds(state: State, condition: Query["conditions"][number]): boolean {
    return Object.values(state[condition.table] ?? {}).some((row) => {
        const value = row[condition.field];
        if (value === undefined) return false;
        const wanted = Number(condition.value);
        if (condition.sign === ">") return Number(value) > wanted;
        if (condition.sign === "<") return Number(value) < wanted;
        return String(value).toLowerCase() === condition.value.toLowerCase();
    });
}

/**
 * The steps that match, in order.
 * @param stateAfter  only asked for when the query has conditions
 * @param selected  the step that `is:` speaks of
 */
export function search(story: Story, text: string, stateAfter: (step: number) => State, selected = -1): number[] {
    const query = parseQuery(text);
    const parts = query.words.length + query.terms.length + query.conditions.length;
    if (parts === 0 && query.relation === null) return [];
    const related = query.relation !== null && story.has(selected) ? relations(story, selected) : null;
    const functions = functionTexts(story);
    const found: number[] = [];
    for (let step = story.first; step < story.end; ++step) {
        if (query.relation !== null && related?.(step) !== query.relation) continue;
        const sentence = story.sentence(step).toLowerCase();
        const entered = functions.get(step) ?? "";
        if (!query.words.every((word) => sentence.includes(word) || entered.includes(word))) continue;
        if (!query.terms.every((term) => matchesTerm(story, step, term.field, term.text))) continue;
        if (query.conditions.length > 0) {
            const state = stateAfter(step);
            if (!query.conditions.every((condition) => holds(state, condition))) continue;
        }
        found.push(step);
    }
    return found;
}

/** What was entered in each step. */
function functionTexts(story: Story): Map<number, string> {
    const texts = new Map<number, string>();
    for (const scope of story.scopes)
        texts.set(scope.first, `${texts.get(scope.first) ?? ""} ${scope.text.toLowerCase()}`);
    return texts;
}

export type Relation = "before" | "after" | "concurrent";

/**
 * How steps stand to one step: what it follows from, what follows from it, and what neither. Two
 * steps are ordered when a task, or what they touch, ties them together.
 */
export function relations(story: Story, selected: number): (step: number) => Relation {
    const before = reach(story, selected, -1), after = reach(story, selected, 1);
    return (step) => (before.has(step) ? "before" : after.has(step) ? "after" : "concurrent");
}

function reach(story: Story, from: number, direction: 1 | -1): Set<number> {
    const reached = new Set<number>();
    const tasks = new Set<number>();
    const touched = new Map<number, Touch[]>();
    const take = (step: number): void => {
        reached.add(step);
        tasks.add(story.taskOf(step));
        for (const touch of story.touches(step))
            touched.set(touch.object, [...(touched.get(touch.object) ?? []), touch]);
    };
    take(from);
    for (let step = from + direction; story.has(step); step += direction) {
        const depends = tasks.has(story.taskOf(step)) || story.touches(step).some(
            (touch) => touched.get(touch.object)?.some((other) => conflict(touch, other)) ?? false);
        if (depends) take(step);
    }
    return reached;
}
