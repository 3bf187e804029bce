#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "app/cli/session.h"

namespace {

app::cli::Environment read_environment() {
    app::cli::Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const char* const name = *entry;
        const char* equals = std::strchr(name, '=');
        if (equals != nullptr) environment.emplace(std::string(name, equals), equals + 1);
    }
    return environment;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return app::cli::run_program({argv + 1, argv + argc}, read_environment());
    } catch (const std::exception& error) {
        std::fprintf(
            stderr,
            "interleaf: internal error: %s\ninterleaf: please send this line and the command:",
            error.what());
        for (int i = 0; i < argc; ++i)
            std::fprintf(stderr, " %s", argv[i]);
        std::fprintf(stderr, "\n");
        return app::exit_code::internal;
    }
}
