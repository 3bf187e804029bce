#pragma once
#include <map>
#include <memory>
#include <vector>

#include "model/device.h"

namespace model {

class FsInfo;

/// Looks on while a filesystem changes its devices. Called in the step of the event or of the
/// committer; must neither touch the filesystem nor reach a scheduling point, but may report a
/// violation.
class MediumObserver {
  public:
    MediumObserver() = default;
    virtual ~MediumObserver() = default;
    MediumObserver(const MediumObserver&) = delete;
    MediumObserver& operator=(const MediumObserver&) = delete;
    /// An execution begins, from the prepared state. Called by whoever starts it, outside a task.
    virtual void begun(FsInfo& fs) = 0;
    /// A write or flush takes effect.
    virtual void before_device_event(FsInfo& fs, const DevRequest& request) = 0;
    virtual void after_device_event(FsInfo& fs, const DevRequest& request) = 0;
    /// A system call is about to return whose success promises something about a crash.
    virtual void before_promise(FsInfo& fs) = 0;
    virtual void after_promise(FsInfo& fs) = 0;
    /// The super blocks of a transaction are durable, and its commit returns.
    virtual void committed(FsInfo& fs) = 0;
    /// All tasks have ended, and no check of the end failed.
    virtual void ended(FsInfo& fs) = 0;
};

/// From now on the observer looks on, and a search may stop the machine at writes that become
/// durable and at promises. Null: nobody does.
void observe_medium(FsInfo& fs, MediumObserver* observer);

/// What one place of a device holds: 4096 bytes, or a word 512 times.
struct Held {
    DataWord word = 0;
    const unsigned char* bytes = nullptr;  // null: the word
    u64 hash = 0;
};
Held held_in(const Sector& sector);

/// What all devices of a filesystem hold, by Device::index and physical offset. Points into the
/// simulation: valid while that stands still.
class Medium {
  public:
    using Places = std::map<u64, Held>;

    explicit Medium(std::size_t devices) : devices_(devices) {}
    std::size_t devices() const { return devices_.size(); }
    const Places& places(std::size_t device) const { return devices_[device]; }
    /// Null where nothing was ever written.
    const Held* find(std::size_t device, u64 physical) const;
    void put(std::size_t device, u64 physical, const Held& held);
    /// The same with bytes that the medium keeps itself.
    void put_copy(std::size_t device, u64 physical, const unsigned char* bytes);
    /// The same content with all its bytes kept by the medium itself: outlives the simulation.
    Medium detached() const;
    /// Digest of the whole content, free of the order in which it was put there.
    u64 hash() const { return hash_; }

  private:
    std::vector<Places> devices_;
    std::vector<std::shared_ptr<const std::vector<unsigned char>>> copies_;
    u64 hash_ = 0;
};

/// What reads return now: the content after a shutdown that loses nothing.
Medium visible_medium(const FsInfo& fs);
/// What a crash leaves that loses the caches.
Medium durable_medium(const FsInfo& fs);
/// durable_medium(fs).hash(), without making it.
u64 durable_hash(const FsInfo& fs);

/// The bytes of a place.
void expand_held(const Held& held, unsigned char* bytes);
/// Writes a medium to the devices of another filesystem of the same geometry, which is not mounted.
void load_medium(FsInfo& fs, const Medium& medium);
/// Whether the device holds a primary super block: it is part of a filesystem.
bool holds_super(const Medium& medium, std::size_t device);

}  // namespace model
