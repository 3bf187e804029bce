#pragma once
#include <map>

#include "app/cli/matrix_cell.h"

namespace app::cli {

/// The certificates of cells, in a folder.
class CellStore {
  public:
    /// Reads what is there. What cannot be read is as if it were not, with a warning.
    CellStore(const Session& session, std::string folder);

    /// Fills the cell from its own certificate, if that is of these inputs and this command's
    /// limits, or from that of another kernel which answers alike all that the search asked: then
    /// the cell gets a certificate of its own, and its witness has been replayed.
    /// @return whether the cell is known now
    sim::Result<bool, Failure> fill(Cell& cell);

    /// Keeps what a search found that came to its end.
    std::optional<Failure> save(Cell& cell, const sim::SearchReport& search,
                                const model::KernelQuestions& asked);

  private:
    const report::Certificate* own(const Cell& cell) const;
    const report::Certificate* alike(const Cell& cell) const;
    static bool ends_alike(const report::Certificate& certificate, const Cell& cell);
    bool is_current(const report::Certificate& certificate, const Cell& cell) const;
    sim::Result<report::Certificate, Failure> for_kernel(const report::Certificate& other,
                                                         const Cell& cell) const;
    std::optional<Failure> keep(Cell& cell, report::Certificate certificate);
    void take(Cell& cell, const report::Certificate& certificate) const;

    const Session& session_;
    std::string folder_;
    std::map<std::string, report::Certificate> known_;  // by file, so that the choice of one does
                                                        // not depend on when it was made
};

}  // namespace app::cli
