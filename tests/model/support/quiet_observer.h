#pragma once
#include "model/medium.h"

namespace test {

/// Looks on and does nothing: a test overrides what it is after.
class QuietObserver : public model::MediumObserver {
  public:
    void begun(model::FsInfo& /*fs*/) override {}
    void before_device_event(model::FsInfo& /*fs*/, const model::DevRequest& /*request*/) override {
    }
    void after_device_event(model::FsInfo& /*fs*/, const model::DevRequest& /*request*/) override {}
    void before_promise(model::FsInfo& /*fs*/) override {}
    void after_promise(model::FsInfo& /*fs*/) override {}
    void committed(model::FsInfo& /*fs*/) override {}
    void ended(model::FsInfo& /*fs*/) override {}
};

}  // namespace test
