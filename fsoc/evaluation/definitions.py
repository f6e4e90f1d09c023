"""What each figure is, as a report tells it. The manual of this folder says the same at length."""

from __future__ import annotations

from typing import Final

DEFINITIONS: Final = """\
- **True alert.** A joint alert that stands is *on* a label when at least half of its tickets bear the label and it
  names at least two of the label's institutions. On no label it is a false alarm. Retracted, merged,
  suppressed and local alerts are counted and not judged.
  **正確告警**：告警至少半數事件單具同一標籤，且至少涵蓋該標籤兩家機構；不屬任何標籤者為誤報。
  已撤回、已併入、已抑制及單一機構告警僅計數、不評估。
- **Precision** is the share of joint alerts that are on a label; **recall** the share of labels of two institutions or
  more that an alert is on; **F1** their harmonic mean. Intervals are Wilson's at 95 %: where they are wide, more truth
  is needed before thresholds are moved.
  **精確率**為屬於任一標籤之告警比率；**召回率**為跨兩家以上機構之標籤中有告警者之比率；**F1** 為兩者調和平均。
  區間採 Wilson 95 % 信賴區間；區間寬者，宜先累積樣本再調整門檻。
- **Times** are event time, up to `raised_at_event_time` of the earliest alert on the label: they do not depend on how
  fast it was replayed. From the third institution it may be negative: the rule was content with two. The deciding
  ticket, which may be intel, is the one that completed the window; what passed until it came is the institutions'
  own delay.
  **時間**均為事件時間，計至該標籤最早告警之成立時間，與重播速度無關；
  「自第三家機構」為負值，表示規則於兩家時即成立。
  關鍵事件單為使條件成立者（含情資分析單），其自發生至到達之時間為機構端通報延遲。
- **A day** is 24 hours of event time covered, at least one. **Stories** are alerts folded by campaign and with those
  that they continue.
  **每日**以涵蓋之事件時間每 24 小時計，不足一日以一日計；**併案**依攻擊活動編號及延續關係。"""
