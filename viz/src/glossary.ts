import entries from "../../lessons/glossary.json";

/** One sentence or two for each term; the help shows them all, and lessons mark them. */
export const glossary: { readonly [term: string]: string } = entries;
