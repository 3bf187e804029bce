// fs/pipe.c, as far as a send that writes into one can notice.
#include "model/pipe.h"

#include <algorithm>

#include "sim/trace.h"

namespace model {

Pipe::Pipe(u64 key)
    : lock_(lock_classes::pipe_lock, key), obj_(objects::pipe, key, this), wait_(key, "pipe") {}

/// @return whether some of it went in
bool Pipe::put_some(u64& bytes) {
    bool was_empty = false;
    {
        const sim::SpinGuard guard(lock_);
        obj_.read();
        const u64 put = std::min(bytes, capacity - used_);
        if (put == 0) return false;
        obj_.write();
        was_empty = used_ == 0;
        used_ += put;
        bytes -= put;
    }
    if (was_empty) wait_.wake_up_all();
    return true;
}

/// @return false: there is nothing yet
bool Pipe::take_all(bool& at_end) {
    const sim::SpinGuard guard(lock_);
    obj_.read();
    at_end = closed_ && used_ == 0;
    if (used_ == 0) return at_end;
    obj_.write();
    used_ = 0;
    return true;
}

void Pipe::write(u64 bytes) {
    const sim::Scope scope("pipe_write");
    while (bytes > 0)
        wait_.wait_event([&] { return put_some(bytes); });
}

void Pipe::close() {
    {
        const sim::SpinGuard guard(lock_);
        obj_.write();
        closed_ = true;
    }
    wait_.wake_up_all();
}

void Pipe::drain() {
    const sim::Scope scope("pipe_read");
    for (bool at_end = false; !at_end;) {
        wait_.wait_event([&] { return take_all(at_end); });
        wait_.wake_up_all();
    }
}

}  // namespace model
