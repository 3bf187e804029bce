/* Each of N tasks puts four words into a table of 128 by compare-and-swap. -DN=15 */
#define CELLS 128

byte table[CELLS];

active [N] proctype task() {
    byte m = 1, word, at;
    bit put;
    do
    :: m <= 4 ->
        d_step { word = 11 * m + _pid; at = (7 * word) % CELLS; put = 0 };
        do
        :: put -> break
        :: else ->
            d_step {
                if
                :: table[at] == 0 -> table[at] = word; put = 1
                :: else -> at = (at + 1) % CELLS
                fi
            }
        od;
        m++
    :: else -> break
    od
}
