#pragma once
#include <memory>
#include <vector>

#include "app/cli/recorded.h"
#include "app/export/stepper.h"

namespace app::cli {

/// Runs and writes the branches that `interleaf step` takes.
class BranchRunner final : public exporter::StepperHost {
  public:
    /// @return what went wrong while the given execution was described
    static sim::Result<std::unique_ptr<BranchRunner>, Failure> start(const Session& session,
                                                                     RecordedRun run);

    /// Of the execution that was given.
    const RecordedRun& run() const { return branches_.front()->run; }
    const SortedJson& document() const { return branches_.front()->document; }

    sim::Result<const SortedJson*, exporter::StepMistake>
    take(std::size_t branch, std::uint32_t steps, std::size_t candidate) override;
    sim::Result<std::string, exporter::StepMistake>
    save(const std::string& file, std::size_t branch,
         const std::vector<exporter::StepNote>& notes) override;

  private:
    struct Branch {
        RecordedRun run;
        SortedJson document;
    };
    explicit BranchRunner(const Session& session) : session_(session) {}
    std::optional<Failure> add(RecordedRun run);
    sim::Result<Recording, Failure> run_branch(const RecordedRun& base,
                                               const sim::Schedule& schedule) const;
    sim::Result<std::string, Failure> save_page(const std::string& file, std::size_t branch,
                                                const std::vector<exporter::StepNote>& notes) const;

    const Session& session_;
    std::vector<std::unique_ptr<Branch>> branches_;
};

}  // namespace app::cli
