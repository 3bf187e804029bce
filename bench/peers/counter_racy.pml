/* N tasks, K times: read, then write the value plus 1. -DN=2 -DK=5 */
byte counter;

active [N] proctype task() {
    byte k, seen;
    do
    :: k < K -> seen = counter; d_step { counter = seen + 1; k++ }
    :: else -> break
    od
}
