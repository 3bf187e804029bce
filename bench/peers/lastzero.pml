/* Task 0 looks for the last zero, from the end; task j sets array[j] to array[j-1] plus 1. -DN=15 */
byte array[N + 1];

active proctype reader() {
    byte at = N;
    do
    :: array[at] != 0 -> at--
    :: else -> break
    od
}

active [N] proctype writer() {
    byte seen;
    seen = array[_pid - 1];
    array[_pid] = seen + 1
}
