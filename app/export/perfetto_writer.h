#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace app::exporter {

/// Collects tracks and their events, and writes them as Perfetto's importer reads them:
/// protos/perfetto/trace/trace_packet.proto and track_event/ there. Tracks have fixed ids, from
/// their names; events are in the order of their times, and those of one time in the order in which
/// they were added.
class PerfettoWriter {
  public:
    using Track = std::uint64_t;

    /// The tracks that follow are listed under it, in the order in which they are made.
    void group(const std::string& name);
    /// @param row  tells tracks of one name apart
    Track track(const std::string& name, std::size_t row = 0);
    Track counter_track(const std::string& name);

    void begin(Track track, std::uint64_t ns, const std::string& name);
    void end(Track track, std::uint64_t ns);
    void slice(Track track, std::uint64_t from, std::uint64_t to, const std::string& name);
    void instant(Track track, std::uint64_t ns, const std::string& name);
    /// An instant that arrows come from or lead to. @param ends  the arrow that leads here; 0: none
    void instant(Track track, std::uint64_t ns, const std::string& name,
                 std::vector<std::uint64_t> begins, std::uint64_t ends);
    void count(Track track, std::uint64_t ns, std::int64_t value);

    std::string write() const;

  private:
    enum class Type : std::uint8_t { Begin = 1, End = 2, Instant = 3, Counter = 4 };
    struct Descriptor {
        Track id, parent;
        std::string name;
        bool counts;
        unsigned rank;
    };
    struct Event {
        std::uint64_t ns;
        Track track;
        Type type;
        std::string name;
        std::int64_t value = 0;
        std::vector<std::uint64_t> begins;
        std::uint64_t ends = 0;
    };
    Track add_track(const std::string& name, std::size_t row, bool counts);
    std::map<std::string, std::uint64_t> number_names() const;

    std::vector<Descriptor> tracks_;
    std::vector<Event> events_;
    Track group_ = 0;
    std::string group_name_;
    unsigned rank_ = 0;
};

}  // namespace app::exporter
