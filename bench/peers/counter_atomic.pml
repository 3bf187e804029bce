/* N tasks, K atomic increments each whose results are observed. -DN=2 -DK=10 */
byte counter;

active [N] proctype task() {
    byte k, seen;
    do
    :: k < K -> d_step { counter++; seen = counter; k++ }
    :: else -> break
    od
}
