// SPDX-License-Identifier: Apache-2.0
// Secrets do not get past; what a diagnosis needs does.
#include "base/redact.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace oomtrace {
namespace {

using namespace std::string_literals;

struct Case {
  std::string before, after;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(redacted_command_line(c.before), c.after) << c.before;
}

TEST(Redact, values_of_flags) {
  expect_all({
      {"train.py --token=abcdef --lr 1", "train.py --token=*** --lr 1"},
      {"train.py --token abcdef --lr 1", "train.py --token *** --lr 1"},
      {"x -password hunter2", "x -password ***"},
      {"x --api-key='a b c' y", "x --api-key='***' y"},
      {"x --api_key \"a b\" y", "x --api_key \"***\" y"},
      {"x --password=pw", "x --password=**"},
      {"x --password= y", "x --password= y"},
      {"x --password", "x --password"},
      {"x --password --verbose", "x --password --verbose"},
      {"x --use-auth-token train.py", "x --use-auth-token train.py"},
      {"x --use_auth_token=True", "x --use_auth_token=True"},
  });
}

TEST(Redact, arguments_with_blanks_are_masked_whole) {
  expect_all({
      {"x\0--password\0a b c\0y\0"s, "x\0--password\0***\0y\0"s},
      {"x\0--password=a b c\0y\0"s, "x\0--password=***\0y\0"s},
      {"env\0SECRET=a b\0run\0"s, "env\0SECRET=***\0run\0"s},
      {"curl\0-H\0Authorization: Bearer abcdef\0u\0"s, "curl\0-H\0Authorization: ***\0u\0"s},
      {"bash\0-c\0export TOKEN=abcdef; run --lr 1\0"s, "bash\0-c\0export TOKEN=*** run --lr 1\0"s},
  });
}

TEST(Redact, variables) {
  expect_all({
      {"HF_TOKEN=abc123 RANK=0 python", "HF_TOKEN=*** RANK=0 python"},
      {"env AWS_SECRET_ACCESS_KEY=x/y+z= GOOGLE_APPLICATION_CREDENTIALS=/a.json run",
       "env AWS_SECRET_ACCESS_KEY=*** GOOGLE_APPLICATION_CREDENTIALS=*** run"},
      {"TOKENIZERS_PARALLELISM=false --pad_token=x --max_tokens=5",
       "TOKENIZERS_PARALLELISM=false --pad_token=x --max_tokens=5"},
  });
}

TEST(Redact, headers_json_and_queries) {
  expect_all({
      {"curl -H 'Authorization: Bearer abc' u", "curl -H 'Authorization: Bearer *** u"},
      {"curl -H X-Api-Key: abcd u", "curl -H X-Api-Key: *** u"},
      {"run {\"api_key\": \"v w\", \"lr\": 1}", "run {\"api_key\": \"***\", \"lr\": 1}"},
      {"run {'password':'abc','a':1}", "run {'password':'***','a':1}"},
      {"get https://h/p?token=abc&x=1", "get https://h/p?token=***&x=1"},
      {"get https://h/p?x=1&access_token=abc&y=2 z", "get https://h/p?x=1&access_token=***&y=2 z"},
  });
}

TEST(Redact, passwords_in_urls) {
  expect_all({
      {"git clone https://user:pass@host/r", "git clone https://user:***@host/r"},
      {"postgres://u:p%40ss@db:5432/x", "postgres://u:***@db:5432/x"},
      {"https://ghp_0123456789abcdef01@github.com/x", "https://***@github.com/x"},
      {"ssh://git@host/r http://host:80/a@b", "ssh://git@host/r http://host:80/a@b"},
      {"redis://:pass@h", "redis://:***@h"},
  });
}

TEST(Redact, tokens_of_known_shape_anywhere) {
  expect_all({
      {"x hf_abcdefGHIJ0123456789 y", "x hf_*** y"},
      {"x sk-proj-0123456789abcdefgh", "x sk-***"},
      {"x ghp_0123456789abcdef0123 y", "x ghp_*** y"},
      {"x github_pat_0123456789abcdef_x y", "x github_pat_*** y"},
      {"x AKIAABCDEFGHIJKLMNOP y", "x AKIA*** y"},
      {"x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "x=eyJ***"},
      {"cat /tmp/hf_0123456789abcdef0123", "cat /tmp/hf_***"},
      {"hf_transfer risk-aversion-0123456789 sk-learn-pipeline-cache",
       "hf_transfer risk-aversion-0123456789 sk-learn-pipeline-cache"},
  });
}

TEST(Redact, secrets_that_only_their_place_tells) {
  const std::string key = "0123456789abcdef0123456789abcdef01234567";
  expect_all({
      {"wandb login " + key, "wandb login ***"},
      {"python -m wandb login --relogin " + key + " && git checkout " + key,
       "python -m wandb login --relogin *** && git checkout " + key},
      {"bash\0-c\0wandb login "s + key + "; run\0"s, "bash\0-c\0wandb login *** run\0"s},
      {"curl -u user:pass https://h/p", "curl -u user:*** https://h/p"},
      {"/usr/bin/curl -sSLu user:pass u", "/usr/bin/curl -sSLu user:*** u"},
      {"curl -uuser:pass --proxy-user=me:pw u", "curl -uuser:*** --proxy-user=me:** u"},
      {"curl\0--user\0user:pa ss\0u\0"s, "curl\0--user\0user:***\0u\0"s},
      {"curl -u 'user:pa ss' u", "curl -u 'user:***' u"},
      {"curl -u user u", "curl -u user u"},
      {"sshpass -p hunter2 ssh -p 2222 host", "sshpass -p *** ssh -p 2222 host"},
      {"sshpass -phunter2 ssh host", "sshpass -p*** ssh host"},
      {"sshpass -P word -p 'hunter 2' ssh host", "sshpass -P word -p '***' ssh host"},
      {"sshpass -f /run/key curl -u a:bcd h", "sshpass -f /run/key curl -u a:*** h"},
      {"sshpass\0-p\0hunter 2\0ssh\0host\0"s, "sshpass\0-p\0***\0ssh\0host\0"s},
  });
}

TEST(Redact, signed_urls_and_web_hooks) {
  expect_all({
      {"azcopy https://a.blob/c?sv=2022&sig=Ab%2Fc&se=1 /d", "azcopy https://a.blob/c?sv=2022&sig=***&se=1 /d"},
      {"get https://h/o?sig=abcd", "get https://h/o?sig=***"},
      {"get 'https://b.s3/o?X-Amz-Date=1&X-Amz-Signature=0123abcd'",
       "get 'https://b.s3/o?X-Amz-Date=1&X-Amz-Signature=***"},
      {"get https://h/o?X-Goog-Signature=0123&x=1", "get https://h/o?X-Goog-Signature=***&x=1"},
      {"post https://hooks.slack.com/services/T0/B0/abcd 'x'", "post https://hooks.slack.com/services/*** 'x'"},
      {"x --hook=\"https://hooks.slack.com/services/T0/B0/abcd\" y",
       "x --hook=\"https://hooks.slack.com/services/***\" y"},
      {"post https://discord.com/api/webhooks/1/abc", "post https://discord.com/api/webhooks/***"},
  });
}

TEST(Redact, plain_command_lines_stay_as_they_are) {
  for (const std::string line :
       {"", "python3 train.py --epochs 3 --num_workers 8 --data /d/key/x",
        "torchrun --nproc-per-node=8 -m a.b --tokenizer gpt2", "/usr/bin/env python -c import torch; print(1)",
        "nginx: worker process", "a=b c:d --sort-key=size ::: === @ ://", "python\0-m\0pip\0install\0",
        "python -u train.py:main --signature=f --sig 9", "docker run -u 1000:1000 x",
        "git show 0123456789abcdef0123456789abcdef01234567", "wandb sync /d/run-1",
        "python -m wandb agent e/p/0123456789abcdef0123456789abcdef01234567", "ssh -p 22 h"}) {
    EXPECT_EQ(redacted_command_line(line), line);
  }
}

TEST(Redact, works_in_place_and_never_grows) {
  std::string line = "--token=abcdefgh tail";
  const std::size_t length = redact_command_line(line);
  EXPECT_EQ(line.substr(0, length), "--token=*** tail");
}

TEST(Redact, a_planted_secret_never_survives_hostile_neighbours) {
  const std::string secret = "Zq9Zq9Zq9Zq9";
  std::mt19937 random(5);
  const std::string alphabet = "ab=:/?&'\" -_@.,;{}\\0"s;
  for (int round = 0; round < 5000; ++round) {
    std::string front(random() % 20, ' ');
    for (char& c : front) c = alphabet[random() % alphabet.size()];
    std::string back(random() % 20, ' ');
    for (char& c : back) c = alphabet[random() % alphabet.size()];
    const std::string line = front + " PASSWORD=" + secret + back;
    const std::string out = redacted_command_line(line);
    ASSERT_EQ(out.find(secret), std::string::npos) << line;
    ASSERT_LE(out.size(), line.size());
  }
}

TEST(Redact, any_bytes_are_survived) {
  std::mt19937 random(6);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(random() % 100, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_LE(redacted_command_line(bytes).size(), bytes.size());
  }
}

}  // namespace
}  // namespace oomtrace
