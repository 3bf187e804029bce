#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"

namespace model {

/// fs/pipe.c: a pipe of one page, of which only the fill counts. Lives as long as the simulation: a
/// reader may outlast the writer.
class Pipe {
  public:
    explicit Pipe(u64 key);
    /// Sleeps while the pipe is full.
    void write(u64 bytes);
    /// The writer is done: readers come to the end.
    void close();
    /// Reads until the pipe is closed and empty.
    void drain();

  private:
    static constexpr u64 capacity = 4096;

    bool put_some(u64& bytes);
    bool take_all(bool& at_end);

    sim::Spinlock lock_;
    sim::Object obj_;
    sim::WaitQueue wait_;
    u64 used_ = 0;
    bool closed_ = false;
};

}  // namespace model
