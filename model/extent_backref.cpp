// Mirrors the layout rules of back references in fs/btrfs/extent-tree.c.
#include "model/extent_backref.h"

#include "sim/assert.h"

namespace model {
namespace {

template <class T> T load_at(std::span<const unsigned char> item, u32 offset) {
    return load<T>(item.subspan(offset, sizeof(T)).data());
}

}  // namespace

u32 inline_ref_size(u8 type) {
    constexpr u32 type_byte = 1;
    switch (type) {
    case tree_block_ref_key:
    case shared_block_ref_key:
        return type_byte + sizeof(u64);
    case extent_data_ref_key:
        return type_byte + sizeof(ExtentDataRef);
    case shared_data_ref_key:
        return type_byte + sizeof(u64) + sizeof(SharedDataRef);
    default:
        return 0;
    }
}

u32 max_extent_item_size(u32 nodesize) {
    const u32 leaf_data = nodesize - static_cast<u32>(sizeof(HeaderItem));
    return (leaf_data >> 4) - static_cast<u32>(sizeof(LeafItem));
}

u64 inline_ref_sequence(const RefKey& key) {
    if (key.parent != 0) return key.parent;
    if (key.type == extent_data_ref_key)
        return extent_data_ref_hash(key.root, key.objectid, key.offset);
    return key.root;
}

InlineRef parse_inline_ref(std::span<const unsigned char> item, u32 offset) {
    InlineRef ref;
    ref.offset = offset;
    if (offset >= item.size()) return ref;
    ref.key.type = item[offset];
    ref.size = inline_ref_size(ref.key.type);
    const u32 body = offset + 1;
    switch (ref.key.type) {
    case tree_block_ref_key:
        ref.key.root = load_at<u64>(item, body);
        break;
    case shared_block_ref_key:
        ref.key.parent = load_at<u64>(item, body);
        break;
    case extent_data_ref_key: {
        const auto data = load_at<ExtentDataRef>(item, body);
        ref.key.root = data.root;
        ref.key.objectid = data.objectid;
        ref.key.offset = data.offset;
        ref.count = data.count;
        break;
    }
    case shared_data_ref_key:
        ref.key.parent = load_at<u64>(item, body);
        ref.count = load_at<SharedDataRef>(item, body + sizeof(u64)).count;
        break;
    default:
        break;
    }
    return ref;
}

void store_inline_ref(unsigned char* at, const RefKey& key, u32 count) {
    *at++ = key.type;
    switch (key.type) {
    case tree_block_ref_key:
        store(at, key.root);
        break;
    case shared_block_ref_key:
        store(at, key.parent);
        break;
    case extent_data_ref_key:
        store(at, ExtentDataRef{key.root, key.objectid, key.offset, count});
        break;
    case shared_data_ref_key:
        store(at, key.parent);
        store(at + sizeof(u64), SharedDataRef{count});
        break;
    default:
        SIM_ASSERT(!"a reference of no known type");
    }
}

InlinePosition find_inline_ref(std::span<const unsigned char> item, const RefKey& key) {
    const u64 sequence = inline_ref_sequence(key);
    u32 offset = sizeof(ExtentItem);
    while (offset < item.size()) {
        const InlineRef ref = parse_inline_ref(item, offset);
        if (ref.size == 0 || key.type < ref.key.type) break;
        if (key.type == ref.key.type) {
            if (ref.key == key) return {true, offset};
            if (inline_ref_sequence(ref.key) < sequence) break;
        }
        offset += ref.size;
    }
    return {false, offset};
}

Key keyed_ref_key(Bytenr bytenr, const RefKey& key) {
    return {bytenr.get(), key.type, inline_ref_sequence(key)};
}

}  // namespace model
