// Work beside the training loop, one piece after the other: writing what an epoch left behind while the next one runs.
#pragma once

#include <functional>
#include <future>
#include <utility>

namespace retort {

class Background {
 public:
  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() {
    if (last_.valid()) last_.wait();
  }

  /// Begins when what was given before is done. After a piece that threw, later ones are not done.
  void run(std::function<void()> work) {
    last_ = std::async(std::launch::async, [before = std::move(last_), work = std::move(work)]() mutable {
      if (before.valid()) before.get();
      work();
    });
  }

  /// Until everything is done; throws what a piece of it threw.
  void wait() {
    if (last_.valid()) last_.get();
  }

 private:
  std::future<void> last_;
};

}  // namespace retort
