"""Colours of the window: one frozen set of tokens for dark, one for light, and the style sheet made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffstudio.resources import resource

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@dataclass(frozen=True)
class Tokens:
    """Colours as #rrggbb. Text on `bg`, `surface`, `raised` and `accent_soft` has a contrast of at least 4.5:1."""

    name: str
    bg: str  # canvas and plots: the darkest (dark) or lightest (light) area
    surface: str  # panels, toolbar
    raised: str  # buttons, fields
    hover: str
    border: str
    text: str
    text_dim: str
    disabled: str
    accent: str  # selected, primary button
    accent_soft: str  # selected row
    on_accent: str
    playhead: str
    lane_a: str  # log-SNR curve
    lane_b: str  # norm curve
    lane_c: str

    @property
    def dark(self) -> bool:
        """Whether this is the dark theme."""
        return self.name == "dark"


DARK = Tokens(
    name="dark", bg="#101114", surface="#1b1c20", raised="#292b31", hover="#34373e", border="#383b42",
    text="#e6e7ea", text_dim="#9da0aa", disabled="#60636b", accent="#2f6fdb", accent_soft="#213558",
    on_accent="#ffffff", playhead="#ff5c5c", lane_a="#6aa5ff", lane_b="#f2b24c", lane_c="#69c98d",
)  # fmt: skip
LIGHT = Tokens(
    name="light", bg="#ffffff", surface="#f3f4f6", raised="#e6e8ec", hover="#d9dce2", border="#c6c9d0",
    text="#1b1d22", text_dim="#565a64", disabled="#a3a7b0", accent="#1f5fd0", accent_soft="#d3e1fa",
    on_accent="#ffffff", playhead="#d32f2f", lane_a="#1f5fd0", lane_b="#9c5a00", lane_c="#1d7a46",
)  # fmt: skip
THEMES = {"dark": DARK, "light": LIGHT}


def apply(app: QApplication, tokens: Tokens) -> None:
    """Set Fusion, the palette and the style sheet."""
    app.setPalette(_palette(tokens))
    app.setStyleSheet(_style_sheet(tokens))


def _palette(t: Tokens):
    from PySide6.QtGui import QColor, QPalette

    palette, role = QPalette(), QPalette.ColorRole
    colours = {
        role.Window: t.surface, role.WindowText: t.text, role.Base: t.bg, role.AlternateBase: t.surface,
        role.Text: t.text, role.Button: t.raised, role.ButtonText: t.text, role.Highlight: t.accent,
        role.HighlightedText: t.on_accent, role.ToolTipBase: t.raised, role.ToolTipText: t.text,
        role.PlaceholderText: t.text_dim, role.Link: t.lane_a, role.Mid: t.border, role.Dark: t.border,
        role.Light: t.hover, role.Accent: t.accent,
    }  # fmt: skip
    for where, colour in colours.items():
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(t.disabled))
    return palette


def _style_sheet(t: Tokens) -> str:
    arrow = resource("icons", f"down-{t.name}.svg").as_posix()
    check = resource("icons", "check-white.svg").as_posix()
    return f"""
QMainWindow, QDockWidget {{ background: {t.surface}; }}
QMainWindow::separator {{ background: {t.border}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px 6px; }}
QMenuBar {{ background: {t.surface}; padding: 1px 4px; }}
QMenuBar::item {{ padding: 3px 8px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {t.raised}; }}
QMenu {{ background: {t.surface}; border: 1px solid {t.border}; padding: 4px; }}
QMenu::item {{ padding: 4px 24px 4px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QMenu::item:disabled {{ color: {t.disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
QToolBar {{ background: {t.surface}; border: 0; border-bottom: 1px solid {t.border}; padding: 6px 8px; spacing: 6px; }}
QStatusBar {{ background: {t.surface}; border-top: 1px solid {t.border}; color: {t.text_dim}; }}
QStatusBar::item {{ border: 0; }}
QStatusBar QLabel {{ color: {t.text_dim}; padding: 0 6px; }}
QPushButton, QToolButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border};
  border-radius: 5px; padding: 4px 10px; min-height: 16px; }}
QToolButton {{ padding: 4px 7px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.border}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.disabled}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.lane_a}; }}
QPushButton:checked, QToolButton:checked {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[primary="true"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
  font-weight: 600; }}
QPushButton[primary="true"]:hover {{ background: {t.lane_a if not t.dark else "#3b7cea"}; }}
QPushButton[primary="true"]:disabled {{ background: {t.raised}; color: {t.disabled}; border-color: {t.border}; }}
QPushButton[primary="true"]:focus {{ border: 1px solid {t.text}; }}
QPushButton[chip="true"] {{ padding: 1px 6px; border-radius: 9px; min-width: 8px; min-height: 16px; }}
QPushButton[flat="true"], QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QPushButton[flat="true"]:hover, QToolButton[flat="true"]:hover {{ background: {t.raised}; }}
QPushButton[flat="true"]:focus, QToolButton[flat="true"]:focus {{ border: 1px solid {t.lane_a}; }}
QPushButton[flat="true"]:checked, QToolButton[flat="true"]:checked {{ background: {t.accent}; color: {t.on_accent}; }}
QPushButton[small="true"], QToolButton[small="true"] {{ padding: 1px 4px; min-height: 14px; }}
QToolButton[bare="true"] {{ padding: 1px; min-height: 0; }}
QToolButton[field="true"] {{ padding: 3px 6px; }}
QToolButton[fold="true"], QToolButton[fold="true"]:checked {{ background: transparent; color: {t.text};
  border-color: transparent; padding: 1px 4px 1px 0; }}
QToolButton[fold="true"]:hover {{ background: {t.raised}; }}
QToolButton[fold="true"]:focus {{ border: 1px solid {t.lane_a}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {{ background: {t.bg}; color: {t.text};
  border: 1px solid {t.border}; border-radius: 5px; padding: 2px 6px; min-height: 18px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus
  {{ border: 1px solid {t.lane_a}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {t.disabled}; }}
QLineEdit, QSpinBox, QDoubleSpinBox {{ min-height: 15px; }}
QAbstractSpinBox QLineEdit {{ border: 0; padding: 0; min-height: 0; background: transparent; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button
  {{ width: 0; border: 0; }}
QComboBox::drop-down {{ border: 0; width: 18px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.border}; outline: 0;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QCheckBox, QRadioButton {{ spacing: 6px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 13px; height: 13px; background: {t.bg};
  border: 1px solid {t.text_dim}; border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 7px; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url("{check}"); }}
QRadioButton::indicator:checked {{ background: {t.on_accent}; border: 4px solid {t.accent}; width: 7px; height: 7px; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {t.border}; }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.lane_a}; }}
QLabel[heading="true"] {{ color: {t.text_dim}; font-size: 11px; font-weight: 600; letter-spacing: 1px; }}
QLabel[dim="true"] {{ color: {t.text_dim}; }}
QLabel[title="true"] {{ font-size: 14px; font-weight: 600; }}
QTreeView, QListView {{ background: transparent; border: 0; outline: 0; }}
QTreeView::item, QListView::item {{ border-radius: 5px; }}
QTreeView[table="true"]::item {{ padding: 2px 6px; }}
QHeaderView::section {{ background: {t.surface}; color: {t.text_dim}; border: 0; border-bottom: 1px solid {t.border};
  padding: 3px 6px; }}
QDialog#palette QTreeView::item {{ padding: 4px 4px 2px 4px; }}
QScrollArea {{ border: 0; background: transparent; }}
QScrollArea[framed="true"] {{ border: 1px solid transparent; }}
QScrollArea[framed="true"]:focus {{ border: 1px solid {t.lane_a}; }}
QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 9px; margin: 0; }}
QScrollBar::handle {{ background: {t.border}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {t.disabled}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.lane_a}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.text if t.dark else "#ffffff"}; border: 1px solid {t.border};
  width: 13px; margin: -5px 0; border-radius: 7px; }}
QProgressBar {{ background: {t.raised}; border: 0; border-radius: 3px; max-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QTabBar::tab {{ background: transparent; color: {t.text_dim}; padding: 4px 10px; border-radius: 4px; }}
QTabBar::tab:selected {{ background: {t.raised}; color: {t.text}; }}
QDialog {{ background: {t.surface}; }}
"""
