#pragma once
#include <string_view>
#include <vector>

#include "model/objects.h"
#include "model/types.h"

namespace model {

struct Inode;

/// What the system calls did to files, and what they promised about it when they returned: the word
/// of the caller, against which reads and the state after a crash are judged. No code of the
/// filesystem reads it.
///
/// Every call is an interval of the ledger's own clock. A write is out of the question for an
/// observer once another write began after its end, and was over before the observer began: before
/// a read, or before the fsync whose promise a crash tests.
struct Ledger {
    /// One word put into one sector (0 by a truncation), or about to be.
    struct Write {
        u64 word = 0;
        u64 begin = 0, end = 0;  // end 0: still running
        bool landed = false;     // returned success: what was there before is gone
    };
    struct Size {
        u64 size = 0;
        u64 begin = 0, end = 0;
        bool landed = false;
    };
    struct File {
        u64 root = 0, ino = 0;
        String path;
        u64 created = 0;                  // when the call that made it returned
        Map<u64, Vector<Write>> sectors;  // by page index; a sector without an entry is a hole:
                                          // zeros since the beginning
        Vector<Size> sizes;               // i_rwsem orders them
        u64 promised =
            0;  // when the newest successful fsync or sync that covers it began; 0: none did
        u64 unlink_begin = 0;       // 0: nobody removes it
        bool lost_a_write = false;  // after an I/O error: nothing is promised or known any more
    };
    /// A call that changes a file, between its begin and its end.
    struct Change {
        u64 file = 0;  // key of files(); 0: a file that the ledger does not know
        u64 begin = 0;
    };

    u64 now() { return ++clock_; }
    /// A call begins whose success will be a promise about that file.
    u64 begin_promise(const Inode& inode);
    /// The same about all files.
    u64 begin_promise_all();

    void created(const Inode& inode, std::string_view path);
    Change begin_write(const Inode& inode, u64 start, u64 end, u64 word);
    Change begin_truncate(const Inode& inode, u64 size);
    Change begin_allocate(const Inode& inode, u64 end);
    void end(const Change& change, const Inode& inode,
             bool ok);  // i_rwsem still held: the size is what it is now
    void begin_unlink(const Inode& inode);
    void end_unlink(const Inode& inode, bool ok);

    /// Data that a call had accepted could not be written, which fsync says once.
    void lost_write(const Inode& inode);
    /// fsync or sync returned success: what was over when it began survives a crash from now on.
    void promise(const Inode& inode, u64 begin);
    void promise_all(u64 begin);
    void promise_subvolume(std::string_view path) { subvolumes_.emplace_back(path); }

    u64 begin_read();
    void end_read() { --running_reads_; }
    /// The words that an observer who began at `since` may find in a sector; nothing if the ledger
    /// does not know the file.
    std::vector<u64> possible_words(const File& file, u64 sector, u64 since) const;
    std::vector<u64> possible_sizes(const File& file, u64 since) const;
    const File* find(const Inode& inode) const;

    /// Whether somebody judges what a crash leaves by this: then the steps that its clock compares
    /// are ordered, so that equivalent executions promise the same.
    bool orders_steps = false;

    const Map<u64, File>& files() const { return files_; }
    const Vector<String>& subvolumes() const { return subvolumes_; }

  private:
    File* known(u64 key);
    u64 size_now(const File& file) const { return file.sizes.empty() ? 0 : file.sizes.back().size; }
    void forget_superseded(File& file, u64 since) const;
    void promise_file(File& file, u64 begin);

    Map<u64, File> files_;  // by (tree id << 32 | ino)
    Vector<String> subvolumes_;
    void changed(u64 key) const;

    u64 clock_ = 0;
    u32 running_reads_ = 0;
    sim::Object order_{objects::ledger};
};

}  // namespace model
