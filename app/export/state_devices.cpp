#include <array>
#include <cstdio>
#include <map>

#include "app/export/item_text.h"
#include "app/export/state_parts.h"

namespace app::exporter {

namespace {

constexpr BitName device_bits[] = {{model::dev_state::writeable, "writeable"},
                                   {model::dev_state::in_fs_metadata, "in_fs_metadata"},
                                   {model::dev_state::missing, "missing"},
                                   {model::dev_state::replace_tgt, "replace_target"},
                                   {model::dev_state::flush_sent, "flush_sent"}};

const char* state_name(model::ReplaceState state) {
    switch (state) {
    case model::ReplaceState::NeverStarted:
        return "never started";
    case model::ReplaceState::Started:
        return "started";
    case model::ReplaceState::Finished:
        return "finished";
    case model::ReplaceState::Canceled:
        return "canceled";
    case model::ReplaceState::Suspended:
        return "suspended";
    }
    return "";
}

const char* condition_name(model::ZoneCond condition) {
    switch (condition) {
    case model::ZoneCond::Empty:
        return "empty";
    case model::ZoneCond::Open:
        return "open";
    case model::ZoneCond::Full:
        return "full";
    }
    return "";
}

bool holds_super(std::uint64_t physical) {
    constexpr std::uint64_t second = std::uint64_t{64} << 20;
    return physical == model::super_info_offset || physical == second;
}

/// What the device has answered for and would lose if the power failed now: address, what it is.
SortedJson cached_json(const model::Device& device) {
    SortedJson list = SortedJson::array();
    for (const auto& [physical, sector] : device.disk.cached)
        list.push_back({number_json(physical), holds_super(physical)     ? "super"
                                               : sector.bytes != nullptr ? "block"
                                                                         : "data"});
    return list;
}

/// The first sectors of data that a read of the device would return now: address, content.
SortedJson data_json(const model::Device& device) {
    constexpr std::size_t most = 64;
    std::map<std::uint64_t, model::DataWord> data;
    for (const auto* const sectors : {&device.disk.durable, &device.disk.cached})
        for (const auto& [physical, sector] : *sectors)
            if (sector.bytes == nullptr) data[physical] = sector.word;
    SortedJson list = SortedJson::array();
    for (const auto& [physical, word] : data)
        if (list.size() < most) list.push_back({number_json(physical), word_text(word)});
    return list;
}

SortedJson device_record(const model::Device& device) {
    SortedJson record = {{"devid", number_json(device.devid)},
                         {"total", number_json(device.total_bytes)},
                         {"used", number_json(device.bytes_used)},
                         {"in_filesystem", device.in_fs_devices},
                         {"allocates", device.on_alloc_list},
                         {"state", bits_json(device.dev_state.peek(), device_bits)},
                         {"writes", number_json(device.disk.writes)},
                         {"flushes", number_json(device.disk.flushes)},
                         {"allocated", SortedJson::array()},
                         {"in_flight", SortedJson::array()},
                         {"cached", cached_json(device)},
                         {"data", data_json(device)}};
    if (device.drive != nullptr && device.drive->max_active_zones > 0)
        record["active_zones_left"] = device.drive->active_zones_left.peek();
    if (device.offline) record["offline"] = true;
    for (const auto& [start, length] : device.alloc_state)
        record["allocated"].push_back({number_json(start), number_json(length)});
    for (const model::Device::InFlight& write : device.in_flight)
        record["in_flight"].push_back({number_json(write.physical), write.sectors});
    return record;
}

}  // namespace

std::string word_text(model::DataWord word) {
    constexpr model::DataWord each_byte = 0x0101010101010101;
    const bool uniform = word == (word & 0xFF) * each_byte;
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), uniform ? "%02llx" : "%016llx",
                  static_cast<unsigned long long>(uniform ? word & 0xFF : word));
    return text.data();
}

SortedJson chunks_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const auto& [logical, map] : fs.mapping_tree) {
        SortedJson& record = table[std::to_string(logical)];
        record = {{"type", group_type_text(map->type)},
                  {"length", number_json(map->length)},
                  {"stripes", SortedJson::array()}};
        for (const model::Stripe& stripe : map->stripes)
            record["stripes"].push_back(
                {std::string(stripe.dev->name), number_json(stripe.physical)});
    }
    return table;
}

SortedJson devices_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::Device* const device : fs.fs_devices.all_devices)
        table[std::string(device->name)] = device_record(*device);
    return table;
}

SortedJson zones_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::Device* const device : fs.fs_devices.all_devices) {
        if (device->drive == nullptr) continue;
        for (const auto& [start, zone] : device->drive->zones)
            table[std::string(device->name) + "/" + std::to_string(start)] = {
                {"length", number_json(device->drive->zone_size)},
                {"write_pointer", number_json(zone.write_pointer)},
                {"condition", condition_name(zone.cond)}};
    }
    return table;
}

SortedJson replace_table(const model::FsInfo& fs) {
    const model::DevReplace& replace = fs.dev_replace;
    SortedJson record = {{"state", state_name(replace.replace_state)},
                         {"cursor_left", number_json(replace.cursor_left)},
                         {"cursor_right", number_json(replace.cursor_right)},
                         {"committed_cursor_left", number_json(replace.committed_cursor_left)},
                         {"write_errors", number_json(replace.num_write_errors)},
                         {"bio_counter", number_json(replace.bio_counter.peek())}};
    if (replace.srcdev != nullptr) record["source"] = std::string(replace.srcdev->name);
    if (replace.tgtdev != nullptr) record["target"] = std::string(replace.tgtdev->name);
    return {{"replace", std::move(record)}};
}

SortedJson scrub_table(const model::FsInfo& fs) {
    return {{"scrub",
             {{"running", fs.scrub.running.peek()},
              {"paused", fs.scrub.paused.peek()},
              {"pause_requests", fs.scrub.pause_req.peek()},
              {"cancel_requests", fs.scrub.cancel_req.peek()}}}};
}

}  // namespace app::exporter
