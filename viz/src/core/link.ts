/** What an address fragment holds: the view. */
export interface View {
    trace: number;
    step: number;
    axis: "step" | "switch";
    task: string;
    object: string;
    panels: string[];
    compare: boolean;
    token: string;
    /** Of a lesson; -1: none. */
    stop: number;
}

export const plainView: View = {
    trace: 0, step: 0, axis: "step", task: "", object: "", panels: [], compare: false, token: "", stop: -1,
};

export function toFragment(view: View): string {
    const params = new URLSearchParams();
    params.set("step", String(view.step));
    if (view.trace !== 0) params.set("trace", String(view.trace));
    if (view.axis !== "step") params.set("axis", view.axis);
    if (view.task !== "") params.set("task", view.task);
    if (view.object !== "") params.set("object", view.object);
    if (view.panels.length > 0) params.set("panels", view.panels.join(","));
    if (view.compare) params.set("compare", "1");
    if (view.stop >= 0) params.set("stop", String(view.stop));
    if (view.token !== "") params.set("token", view.token);
    return `#${params.toString()}`;
}

/** Whatever stands there, a view comes of it: wrong parts are left as they were. */
export function fromFragment(fragment: string, fallback: View): View {
    const params = new URLSearchParams(fragment.replace(/^#/, ""));
    const whole = (name: string, usual: number): number => {
        const value = params.get(name);
        return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : usual;
    };
    return {
        trace: whole("trace", 0),
        step: whole("step", fallback.step),
        axis: params.get("axis") === "switch" ? "switch" : "step",
        task: params.get("task") ?? "",
        object: params.get("object") ?? "",
        panels: (params.get("panels") ?? "").split(",").filter((name) => name !== ""),
        compare: params.get("compare") === "1",
        token: params.get("token") ?? "",
        stop: whole("stop", -1),
    };
}
