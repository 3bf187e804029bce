// The main() of every test executable, compiled once: it is most of Catch2.
//
// The arena finds the pages that an execution writes by their faults; Catch2's own handler of
// SIGSEGV would take them away.
#define CATCH_CONFIG_MAIN
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#include <catch2/catch.hpp>
