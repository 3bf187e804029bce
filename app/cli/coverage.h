#pragma once
#include <memory>
#include <vector>

#include "app/cli/output.h"
#include "app/cli/session.h"
#include "app/report/coverage_file.h"

namespace app::cli {

/// --coverage FILE of a search. Without it nothing is collected.
class CoverageOption {
  public:
    /// Opens the file, so that a wrong name is known before the search.
    static sim::Result<CoverageOption, Failure> open(const Session& session);

    bool is_on() const { return file_.is_open(); }
    /// For the search of one scenario; null when neither this nor --costs was asked for.
    std::shared_ptr<sim::Coverage> begin(const Session& session) const {
        return is_on() || session.has("costs") ? std::make_shared<sim::Coverage>() : nullptr;
    }
    /// After that search: a line in the text, an entry in the document.
    void add(Report& report, const scenario::Scenario& scenario, const model::KernelVersion& kernel,
             const sim::Coverage* coverage);
    /// After the last one. @return what went wrong
    std::optional<Failure> write();

  private:
    std::string name_;
    AtomicFile file_;
    std::vector<report::ScenarioCoverage> scenarios_;
};

/// show FILE, show FILE --pairs.
VerbResult show_coverage(const Session& session, const std::string& file, const std::string& text);

}  // namespace app::cli
