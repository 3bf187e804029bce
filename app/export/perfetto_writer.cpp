#include "app/export/perfetto_writer.h"

#include <algorithm>

#include "app/export/protobuf.h"
#include "sim/hash.h"

namespace app::exporter {

namespace {

// Numbers of fields, by message.
namespace trace {
constexpr unsigned packet = 1;
}
namespace packet {
constexpr unsigned timestamp = 8, sequence = 10, track_event = 11, interned_data = 12,
                   sequence_flags = 13, track_descriptor = 60;
constexpr std::uint64_t state_cleared = 1, needs_state = 2;  // of sequence_flags
}  // namespace packet
namespace descriptor {
constexpr unsigned uuid = 1, name = 2, process = 3, parent = 5, counter = 8, child_ordering = 11,
                   rank = 12;
constexpr std::uint64_t by_rank = 3;  // of child_ordering
}  // namespace descriptor
namespace process {
constexpr unsigned pid = 1, name = 6;
}
namespace event {
constexpr unsigned type = 9, name_iid = 10, track = 11, counter_value = 30, flows = 47,
                   terminating_flows = 48;
}
namespace interned {
constexpr unsigned event_names = 2, iid = 1, name = 2;
}

/// All packets come from one writer.
constexpr std::uint64_t the_sequence = 1;

Message packet_of(std::uint64_t flags) {
    Message message;
    message.number(packet::sequence, the_sequence).number(packet::sequence_flags, flags);
    return message;
}

}  // namespace

void PerfettoWriter::group(const std::string& name) {
    group_ = 0;
    group_name_.clear();
    group_ = add_track(name, 0, false);
    group_name_ = name;
}

PerfettoWriter::Track PerfettoWriter::add_track(const std::string& name, std::size_t row,
                                                bool counts) {
    const Track id = sim::hash_mix(sim::hash_text(group_name_ + "/" + name), row);
    tracks_.push_back({id, group_, name, counts, rank_++});
    return id;
}

PerfettoWriter::Track PerfettoWriter::track(const std::string& name, std::size_t row) {
    return add_track(name, row, false);
}

PerfettoWriter::Track PerfettoWriter::counter_track(const std::string& name) {
    return add_track(name, 0, true);
}

void PerfettoWriter::begin(Track track, std::uint64_t ns, const std::string& name) {
    events_.push_back({.ns = ns, .track = track, .type = Type::Begin, .name = name, .begins = {}});
}

void PerfettoWriter::end(Track track, std::uint64_t ns) {
    events_.push_back({.ns = ns, .track = track, .type = Type::End, .name = {}, .begins = {}});
}

void PerfettoWriter::slice(Track track, std::uint64_t from, std::uint64_t to,
                           const std::string& name) {
    begin(track, from, name);
    end(track, to);
}

void PerfettoWriter::instant(Track track, std::uint64_t ns, const std::string& name) {
    instant(track, ns, name, {}, 0);
}

void PerfettoWriter::instant(Track track, std::uint64_t ns, const std::string& name,
                             std::vector<std::uint64_t> begins, std::uint64_t ends) {
    events_.push_back({.ns = ns,
                       .track = track,
                       .type = Type::Instant,
                       .name = name,
                       .begins = std::move(begins),
                       .ends = ends});
}

void PerfettoWriter::count(Track track, std::uint64_t ns, std::int64_t value) {
    events_.push_back({.ns = ns,
                       .track = track,
                       .type = Type::Counter,
                       .name = {},
                       .value = value,
                       .begins = {}});
}

/// Each name once, from 1 on, sorted.
std::map<std::string, std::uint64_t> PerfettoWriter::number_names() const {
    std::map<std::string, std::uint64_t> names;
    for (const Event& event : events_)
        if (!event.name.empty()) names.emplace(event.name, 0);
    std::uint64_t number = 0;
    for (auto& [name, iid] : names)
        iid = ++number;
    return names;
}

std::string PerfettoWriter::write() const {
    Message out;
    const auto names = number_names();
    Message data;
    for (const auto& [name, iid] : names)
        data.message(interned::event_names,
                     Message().number(interned::iid, iid).text(interned::name, name));
    out.message(trace::packet,
                packet_of(packet::state_cleared).message(packet::interned_data, data));

    std::uint64_t pid = 0;
    for (const Descriptor& track : tracks_) {
        Message about;
        about.number(descriptor::uuid, track.id).text(descriptor::name, track.name);
        if (track.parent == 0) {
            about
                .message(descriptor::process,
                         Message().number(process::pid, ++pid).text(process::name, track.name))
                .number(descriptor::child_ordering, descriptor::by_rank);
        } else {
            about.number(descriptor::parent, track.parent);
        }
        if (track.counts) about.message(descriptor::counter, Message());
        about.number(descriptor::rank, track.rank);
        out.message(trace::packet,
                    packet_of(packet::needs_state).message(packet::track_descriptor, about));
    }

    std::vector<const Event*> order;
    for (const Event& event : events_)
        order.push_back(&event);
    std::stable_sort(order.begin(), order.end(),
                     [](const Event* a, const Event* b) { return a->ns < b->ns; });
    for (const Event* const event : order) {
        Message told;
        told.number(event::type, static_cast<unsigned>(event->type))
            .number(event::track, event->track);
        if (!event->name.empty()) told.number(event::name_iid, names.at(event->name));
        if (event->type == Type::Counter)
            told.number(event::counter_value, static_cast<std::uint64_t>(event->value));
        for (const std::uint64_t flow : event->begins)
            told.fixed64(event::flows, flow);
        if (event->ends != 0) told.fixed64(event::terminating_flows, event->ends);
        out.message(trace::packet, packet_of(packet::needs_state)
                                       .number(packet::timestamp, event->ns)
                                       .message(packet::track_event, told));
    }
    return out.bytes();
}

}  // namespace app::exporter
