// fs/btrfs/disk-io.c and extent_io.c: reading tree blocks, and what can tell that one is not what
// its parent says.
//
// Left out: read-ahead, the repair of a bad copy from a good one, and the read lock that send took
// for the check of the parent transid (4.19 to 5.13). From 6.2 on the check at completion comes
// first; a block found in the cache is checked by the reader in all versions.
#include "model/bio.h"
#include "model/disk_io.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tree_checker.h"

namespace model {
namespace {

std::string key_text(const Key& key, const char* separator) {
    return "(" + number(key.objectid) + separator + number(key.type) + separator +
           number(key.offset) + ")";
}

/// "logical 4096 mirror 1", or as kernels before 5.19 printed it, "4096". (The release is from
/// memory.)
std::string block_place(const FsInfo& fs, Bytenr bytenr, u32 mirror) {
    if (!fs.kernel.at_least(5, 19)) return number(bytenr.get());
    return "logical " + number(bytenr.get()) + " mirror " + number(mirror);
}

std::string csum_text(u32 csum) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "0x";
    for (unsigned i = 0; i < sizeof(csum); ++i) {  // in disk order, low byte first
        const unsigned byte = (csum >> (8 * i)) & 0xFF;
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

// ---- what the parent says -----------------------------------------------------------------------

/// Mirrors verify_parent_transid(): a block of another transaction stands where the parent's child
/// should be.
Result<void> verify_parent_transid(ExtentBuffer& eb, const ParentCheck& check, u32 mirror) {
    const bool matches = check.transid.get() == 0 || eb.generation() == check.transid;
    if (matches) return {};
    eb.fs.message("error", "parent transid verify failed on " +
                               block_place(eb.fs, eb.start, mirror) + " wanted " +
                               number(check.transid.get()) + " found " +
                               number(eb.generation().get()));
    return Errno::IO;
}

Errno level_mismatch(ExtentBuffer& eb, const ParentCheck& check) {
    eb.fs.message("error", "tree level mismatch detected, bytenr=" + number(eb.start.get()) +
                               " level expected=" + number(check.level) +
                               " has=" + number(eb.level()));
    return Errno::IO;
}

/// Whether the first key counts: a block that is not committed may change it at any moment.
bool is_committed(const ExtentBuffer& eb) {
    return eb.generation().get() <= eb.fs.last_trans_committed.load();
}

Errno first_key_mismatch(ExtentBuffer& eb, const ParentCheck& check) {
    eb.fs.message("error", "tree first key mismatch detected, bytenr=" + number(eb.start.get()) +
                               " parent_transid=" + number(check.transid.get()) + " key expected=" +
                               key_text(check.first_key, ",") + " has=" + key_text(eb.key(0), ","));
    return Errno::UClean;
}

/// Mirrors btrfs_verify_level_key(), since 4.18.
Result<void> verify_level_key(ExtentBuffer& eb, const ParentCheck& check) {
    const bool wrong_level = check.has_level && eb.level() != check.level;
    const bool wrong_key =
        check.has_first_key && (eb.nritems() == 0 || eb.key(0) != check.first_key);
    if (!wrong_level && !wrong_key) return {};
    if (!eb.fs.has(fix::level_first_key_check)) return {};
    if (wrong_level) return level_mismatch(eb, check);
    if (!is_committed(eb)) return {};
    if (eb.nritems() != 0) return first_key_mismatch(eb, check);
    eb.fs.message("error", "invalid tree nritems, bytenr=" + number(eb.start.get()) +
                               " nritems=0 expect >0");
    return Errno::UClean;
}

// ---- the completion of a read -------------------------------------------------------------------

/// One read in flight; lives on the stack of the reader.
struct BlockRead {
    ExtentBuffer& eb;
    const ParentCheck& check;
    u32 mirror = 0;
};

bool verify_csum(const BlockRead& read) {
    const ExtentBuffer& eb = read.eb;
    FsInfo& fs = eb.fs;
    if (is_sealed(eb.data, fs.nodesize)) return true;
    const u32 found =
        crc32c(eb.data + sizeof(HeaderItem::csum), fs.nodesize - sizeof(HeaderItem::csum));
    fs.message("warning", "checksum verify failed on " + block_place(fs, eb.start, read.mirror) +
                              " wanted " + csum_text(load<u32>(eb.data)) + " found " +
                              csum_text(found) + " level " + number(eb.level()));
    return false;
}

/// Bytenr, fsid, level and checksum: is this a block that belongs here?
bool verify_header(const BlockRead& read) {
    const ExtentBuffer& eb = read.eb;
    FsInfo& fs = eb.fs;
    if (eb.header().bytenr != eb.start.get()) {
        const bool with_mirror = fs.kernel.at_least(5, 19);
        fs.message("error", std::string("bad tree block start, ") +
                                (with_mirror ? "mirror " + number(read.mirror) + " " : "") +
                                "want " + number(eb.start.get()) + " have " +
                                number(eb.header().bytenr));
        return false;
    }
    if (std::memcmp(eb.header().fsid, fs.fsid, sizeof(fs.fsid)) != 0) {
        fs.message("error", "bad fsid on " + block_place(fs, eb.start, read.mirror));
        return false;
    }
    if (eb.level() >= max_level) {
        fs.message("error", "bad tree block level, mirror " + number(read.mirror) + " level " +
                                number(eb.level()) + " on logical " + number(eb.start.get()));
        return false;
    }
    return verify_csum(read);
}

/// What 6.2 moved to the completion (947a629988f1), with its messages.
bool verify_parent_at_completion(const BlockRead& read) {
    ExtentBuffer& eb = read.eb;
    FsInfo& fs = eb.fs;
    if (!fs.has(fix::parent_check_at_completion)) return true;
    const ParentCheck& check = read.check;
    if (check.has_level && eb.level() != check.level) {
        fs.message("error", "level verify failed on " + block_place(fs, eb.start, read.mirror) +
                                " wanted " + number(check.level) + " found " + number(eb.level()));
        return false;
    }
    if (!verify_parent_transid(eb, check, read.mirror)) return false;
    if (!check.has_first_key || eb.nritems() == 0 || eb.key(0) == check.first_key) return true;
    fs.message("error", "tree first key verify failed on " +
                            block_place(fs, eb.start, read.mirror) + " wanted " +
                            key_text(check.first_key, ", ") + " found " +
                            key_text(eb.key(0), ", "));
    return false;
}

/// Mirrors validate_metadata_buffer(), later btrfs_validate_extent_buffer().
bool validate_extent_buffer(const BlockRead& read) {
    if (!verify_header(read)) return false;
    if (!verify_parent_at_completion(read)) return false;
    FsInfo& fs = read.eb.fs;
    if (check_tree_block(fs, read.eb.data)) return true;
    fs.message("error", "read time tree block corruption detected on " +
                            block_place(fs, read.eb.start, read.mirror));
    return false;
}

/// The flag that says how it went comes before others may look.
void end_reading(ExtentBuffer& eb) {
    eb.reading.clear_and_wake_up();
}

/// Mirrors end_bio_extent_readpage() for metadata. The kernel checks in a worker; here the
/// completion does.
void end_block_read(Bio& bio) {
    BlockRead& read = *static_cast<BlockRead*>(bio.context);
    ExtentBuffer& eb = read.eb;
    read.mirror = bio.ioc.mirror_num;
    bool good = bio.error == 0;
    if (good) {
        eb.content.write();
        for (std::size_t i = 0; i < bio.sectors.size(); ++i)
            expand_sector(bio.sectors[i], eb.data + i * sectorsize);
        good = validate_extent_buffer(read);
    }
    if (good) set_buffer_lockdep_class(eb, eb.owner(), eb.level());
    eb.bflags.set_bit(good ? eb_flag::uptodate : eb_flag::read_err);
    end_reading(eb);
}

// ---- reading ------------------------------------------------------------------------------------

/// Becomes the one reader of the buffer. @return false if somebody else has made it up to date
/// meanwhile
bool lock_for_reading(ExtentBuffer& eb) {
    while (eb.reading.test_and_set())
        eb.reading.wait();
    if (!eb.bflags.test(eb_flag::uptodate)) return true;
    end_reading(eb);
    return false;
}

/// Mirrors read_extent_buffer_pages().
/// @param mirror  which copy, 0 for any; afterwards the one that was read
Result<void> read_extent_buffer_pages(ExtentBuffer& eb, const ParentCheck& check, u32& mirror) {
    if (eb.bflags.test(eb_flag::uptodate)) return {};
    if (!lock_for_reading(eb)) return {};
    BlockRead read{eb, check, mirror};
    Bio& bio = make_bio(eb.fs, MapOp::Read, eb.start, eb.fs.nodesize / sectorsize);
    bio.mirror = mirror;
    bio.metadata = true;
    bio.context = &read;
    bio.end_io = end_block_read;
    submit_bio(bio);
    eb.reading.wait();
    mirror = read.mirror;
    if (!eb.bflags.test(eb_flag::uptodate)) return Errno::IO;
    return {};
}

/// One copy, and the parent's word on it. A buffer that fails is not up to date any more.
Result<void> read_and_verify(ExtentBuffer& eb, const ParentCheck& check, u32& mirror) {
    if (const auto read = read_extent_buffer_pages(eb, check, mirror); !read) return read.error();
    if (const auto good = verify_parent_transid(eb, check, mirror); !good) {
        // Another tree's block that is being changed or written stays (a26e8c9f75b0).
        const bool in_use = eb.has_flag(eb_flag::dirty) || eb.writeback.peek();
        if (!in_use) eb.bflags.clear_bit(eb_flag::uptodate);
        return good.error();
    }
    return verify_level_key(eb, check).ok() ? Result<void>{} : Errno::UClean;
}

/// Mirrors btrfs_read_extent_buffer(): every copy in turn, beginning with whichever the mapping
/// prefers.
Result<void> read_extent_buffer(ExtentBuffer& eb, const ParentCheck& check) {
    u32 failed_mirror = 0;
    auto result = read_and_verify(eb, check, failed_mirror);
    if (result) return result;
    const u32 copies = num_copies(eb.fs, eb.start);
    if (copies == 1) return result;
    for (u32 copy = 1; copy <= copies && !result; ++copy) {
        if (copy == failed_mirror) continue;
        u32 mirror = copy;
        result = read_and_verify(eb, check, mirror);
    }
    return result;
}

}  // namespace

Result<ExtentBuffer*> read_tree_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check) {
    sim::Scope scope("read_tree_block");
    ExtentBuffer& eb = alloc_extent_buffer(fs, bytenr);
    if (const auto read = read_extent_buffer(eb, check); !read) {
        free_extent_buffer_stale(&eb);
        return read.error();
    }
    return &eb;
}

ExtentBuffer* find_uptodate_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check,
                                  Errno* error) {
    ExtentBuffer* const eb = find_extent_buffer(fs, bytenr);
    if (eb == nullptr) return nullptr;
    const bool usable = eb->bflags.test(eb_flag::uptodate) &&
                        (check.transid.get() == 0 || eb->generation() == check.transid);
    if (!usable) {
        free_extent_buffer(eb);
        return nullptr;
    }
    if (verify_level_key(*eb, check)) return eb;
    free_extent_buffer(eb);
    *error = Errno::UClean;
    return nullptr;
}

// ---- bytes of blocks ----------------------------------------------------------------------------

namespace {

constexpr u32 csum_bytes = sizeof(HeaderItem::csum);

u32 block_csum(const unsigned char* block, u32 bytes) {
    return crc32c(block + csum_bytes, bytes - csum_bytes);
}

}  // namespace

void seal_block(unsigned char* block, u32 bytes) {
    std::memset(block, 0, csum_bytes);
    store(block, block_csum(block, bytes));
}

bool is_sealed(const unsigned char* block, u32 bytes) {
    return load<u32>(block) == block_csum(block, bytes);
}

std::vector<unsigned char> peek_block_on_devices(const FsInfo& fs, Bytenr bytenr,
                                                 bool durable_only) {
    const auto after = fs.mapping_tree.upper_bound(bytenr.get());
    if (after == fs.mapping_tree.begin()) return {};
    const ChunkMap& map = *std::prev(after)->second;
    if (bytenr.get() + fs.nodesize > map.logical + map.length) return {};
    std::vector<unsigned char> block(fs.nodesize);
    for (const Stripe& stripe : map.stripes) {
        const u64 physical = stripe.physical + (bytenr.get() - map.logical);
        for (u32 at = 0; at < fs.nodesize; at += sectorsize) {
            const Sector sector = durable_only ? medium_durable(*stripe.dev, physical + at)
                                               : medium_read(*stripe.dev, physical + at);
            expand_sector(sector, block.data() + at);
        }
        if (is_sealed(block.data(), fs.nodesize)) return block;
    }
    return {};
}

std::vector<unsigned char> peek_tree_block(const FsInfo& fs, Bytenr bytenr) {
    const auto cached = fs.buffer_radix.find(bytenr.get());
    if (cached != fs.buffer_radix.end()) {
        const ExtentBuffer& eb = *cached->second;
        if (eb.has_flag(eb_flag::uptodate)) return {eb.data, eb.data + fs.nodesize};
    }
    return peek_block_on_devices(fs, bytenr, false);
}

}  // namespace model
