/* N philosophers, one round: both forks, then neither. -DN=8, and -DORDERED for the lower one first */
bit fork[N];

active [N] proctype philosopher() {
    byte first = _pid;
    byte second = (_pid + 1) % N;
#ifdef ORDERED
    if
    :: second < first -> first = second; second = _pid
    :: else
    fi;
#endif
    atomic { fork[first] == 0 -> fork[first] = 1 };
    atomic { fork[second] == 0 -> fork[second] = 1 };
    fork[second] = 0;
    fork[first] = 0
}
