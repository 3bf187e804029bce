#pragma once
#include <cstdint>

namespace sim {

/// A place in the source: std::source_location, which clang++ 14 lacks. The function is its plain
/// name, the same for every compiler, since reports show it.
class Where {
  public:
    static constexpr Where current(const char* file = __builtin_FILE(),
                                   const char* function = __builtin_FUNCTION(),
                                   std::uint32_t line = __builtin_LINE()) {
        Where where;
        where.file_ = file;
        where.function_ = function;
        where.line_ = line;
        return where;
    }
    constexpr const char* file_name() const { return file_; }
    constexpr const char* function_name() const { return function_; }
    constexpr std::uint32_t line() const { return line_; }

  private:
    const char* file_ = "";
    const char* function_ = "";
    std::uint32_t line_ = 0;
};

}  // namespace sim
