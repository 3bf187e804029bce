/* One task writes, N tasks read. -DN=13 */
byte x;

active proctype writer() { x = 1 }

active [N] proctype reader() {
    byte seen;
    seen = x
}
